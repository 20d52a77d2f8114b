# Ends what the runner could not end itself. It reads which process groups live, and when the
# runner has gone, however it went, kills those that are left.
groups=' '
while read -r verb group; do
    case $verb in
        add) groups="$groups$group " ;;
        del) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
