# Ends what the runner could not end itself. It reads which process groups live and where control
# groups are, and when the runner has gone, however it went, kills what is left in them.
groups=' '
fences=
while read -r verb what; do
    case $verb in
        add) groups="$groups$what " ;;
        del) groups="${groups%% "$what" *} ${groups#* "$what" }" ;;
        fence) fences="$fences $what" ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
# The groups of instances have a number after their names. That of the runner, in which the keeper may
# be itself, has none.
for fence in $fences; do
    # Nothing forks from here on, so that no process gets away from the signals as a new one.
    for limit in "$fence"/*-[0-9]*/pids.max; do
        if [ -e "$limit" ]; then echo 0 >"$limit"; fi
    done
done
for fence in $fences; do
    for procs in "$fence"/*-[0-9]*/cgroup.procs; do
        while read -r process; do kill -s KILL "$process"; done <"$procs"
    done
done
