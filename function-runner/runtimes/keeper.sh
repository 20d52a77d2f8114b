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
for fence in $fences; do
    for procs in "$fence"/*/cgroup.procs; do
        while read -r process; do kill -s KILL "$process"; done <"$procs"
    done
done
