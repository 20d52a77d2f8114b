//! A function does not leave its control group. Each way out is first taken by a process that is
//! not confined, so that a way that no longer leads anywhere is noticed.

use std::process::{Child, Command};

use nix::{sys::signal::Signal, unistd::User};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    Functions,
    boundary::{code, eval, two},
    confinement::{allows_cgroups, eval_in},
    functions::{function, has, write},
};
use crate::support::{
    machine::{allows, is_root},
    process::Process,
};

/// Shell commands with which a process of root could leave its control group, or undo its mounts.
const ESCAPES: [&str; 11] = [
    "for group in $(grep -E ' - cgroup2? ' /proc/self/mountinfo | cut -d ' ' -f 5); do
         echo 0 >$group/cgroup.procs && exit
     done
     exit 1",
    "for group in $(grep -E ' - cgroup2? ' /proc/self/mountinfo | cut -d ' ' -f 5); do
         mount -o remount,bind,rw $group && exit
     done
     exit 1",
    "unshare --mount true",
    "mount -t tmpfs none /mnt",
    "umount /tmp",
    "nsenter --mount --target $RUNNER true",
    // With a program that the kernel starts outside of the group.
    "test -w /proc/sys/kernel/core_pattern",
    "test -w /sys/kernel",
    // With the mounts of a process that is not confined. Its user may open them.
    "python3 -c '
import os
lines = open(\"/proc/self/mountinfo\")
group = next(line.split()[4] for line in lines if \" - cgroup\" in line)
os.setresgid(-1, $GROUP, -1)
os.setresuid(-1, $USER, -1)
root = os.open(\"/proc/$OTHER/root\", os.O_PATH)
os.setresuid(-1, 0, -1)
os.open(\"proc/sys/kernel/core_pattern\", os.O_WRONLY, dir_fd=root)
os.open(group.strip(\"/\") + \"/cgroup.procs\", os.O_WRONLY, dir_fd=root)'",
    // With the capabilities of a user namespace.
    "unshare --user true",
    "unshare --user --map-root-user --mount --cgroup sh -c '
         mount -t cgroup -o memory none /mnt || mount -t cgroup2 none /mnt'",
];

/// System calls that make a user namespace, or could, and the errors that they get. The flag for a
/// user namespace is `0x10000000`.
#[cfg(target_arch = "x86_64")]
const REFUSED_CALLS: [(&str, &str); 6] = [
    ("272, 0x10000000", "EPERM"),            // unshare
    ("272, 0x10020000", "EPERM"),            // with a mount namespace
    ("0x40000110, 0x10000000", "EPERM"),     // unshare of the x32 interface
    ("56, 0x10000011, 0, 0, 0, 0", "EPERM"), // clone
    ("308, -1, 0", "EPERM"),                 // setns
    ("435, 0, 0", "ENOSYS"),                 // clone3
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_CALLS: [(&str, &str); 0] = [];

/// What a function has for a `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A process of another user that is not confined.
struct Other {
    process: Child,
    user: User,
}

impl Other {
    fn start() -> Self {
        let user = User::from_name("nobody").unwrap().unwrap();
        let shell = format!(
            "exec setpriv --reuid {} --regid {} --clear-groups sleep 1000",
            user.uid, user.gid
        );
        let process = Command::new("/bin/sh").args(["-c", &shell]).spawn().unwrap();
        Self { process, user }
    }

    /// The shell commands of `escape` on this machine.
    fn shell(&self, escape: &str) -> String {
        escape
            .replace("$RUNNER", &std::process::id().to_string())
            .replace("$OTHER", &self.process.id().to_string())
            .replace("$USER", &self.user.uid.to_string())
            .replace("$GROUP", &self.user.gid.to_string())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether `shell` succeeds for `user` without a confinement. The mounts of the machine stay as
/// they are.
fn succeeds_unconfined(user: &str, shell: &str) -> bool {
    let within = "mount -t tmpfs -o mode=1777 none /tmp && exec setpriv --reuid \"$0\" --clear-groups sh -c \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", within, user, shell]).env_clear().env("PATH", PATH);
    command.current_dir("/").output().unwrap().status.success()
}

/// The escapes that `user` could take without a confinement.
fn escapes(user: &str, other: &Other) -> Vec<String> {
    let escapes = ESCAPES.iter().map(|escape| other.shell(escape));
    let (taken, not): (Vec<_>, Vec<_>) =
        escapes.partition(|shell| succeeds_unconfined(user, shell));
    if user == "root" {
        let is_refused = |shell: &String| shell.starts_with("unshare --user");
        let may_not = !allows("unshare --user true");
        let faulty: Vec<_> = not.iter().filter(|shell| !(may_not && is_refused(shell))).collect();
        assert!(faulty.is_empty(), "these lead nowhere: {faulty:#?}");
    }
    taken
}

async fn check(folder: TempDir, user: &str, lines: &str) {
    let other = Other::start();
    let lines = format!("user = {user:?}\n{lines}");
    let functions = Functions::start_in(folder, &function("python", &lines)).await;
    let groups = "open('/proc/self/cgroup').read()";
    let before = eval(&functions, "python", groups).await;
    for escape in escapes(user, &other) {
        let run = format!("subprocess.run(['sh', '-c', {escape:?}]).returncode");
        let code = eval(&functions, "python", &run).await;
        // 126 and 127: there is no such program.
        assert!(!([0, 126, 127].map(Value::from).contains(&code)), "{lines} {escape}: {code}");
    }
    for (call, error) in REFUSED_CALLS {
        let made = eval(&functions, "python", &format!("system_call({call})")).await;
        assert_eq!(made, error, "{lines} {call}");
    }
    assert_eq!(eval(&functions, "python", groups).await, before);
    functions.finish().await;
}

fn can_be_checked() -> bool {
    has("python") && is_root() && allows_cgroups() && allows("unshare --mount true")
}

#[tokio::test]
async fn a_function_does_not_leave_its_control_group() {
    if can_be_checked() {
        check(code(), "root", "").await;
        check(code(), "nobody", "").await;
    }
}

/// The folders of the machine are shared then, and not its control groups.
#[tokio::test]
async fn a_function_that_shares_tmp_does_not_leave_its_control_group() {
    if can_be_checked() {
        check(code(), "root", "private_tmp = false").await;
        check(code(), "nobody", "private_tmp = false").await;
    }
}

/// The mounts of another function of root are no way out.
#[tokio::test]
async fn a_function_that_shares_tmp_is_no_way_out_for_another() {
    if !can_be_checked() {
        return;
    }
    let functions = two("private_tmp = false", "").await;
    let id = eval(&functions, "python", "os.getpid()").await;
    let root = format!("/proc/{id}/root");
    assert_eq!(eval(&functions, "thief", &format!("os.access('{root}/etc', os.R_OK)")).await, true);
    for path in ["proc/sys/kernel/core_pattern", "sys/kernel"] {
        let is_writable = format!("os.access('{root}/{path}', os.W_OK)");
        assert_eq!(eval(&functions, "thief", &is_writable).await, false, "{path}");
    }
    functions.finish().await;
}

/// Mounts below `/sys` and `/proc/sys`, and others of these file systems. As `binfmt_misc`, with
/// which the kernel starts programs, and what is mounted for a jail.
const MORE_MOUNTS: &str = "exec unshare --mount sh -c '
    mount -t tmpfs none /proc/sys/fs && mkdir /proc/sys/fs/inner &&
    mount -t tmpfs none /proc/sys/fs/inner && mount -t tmpfs none /sys/block &&
    mount -t tmpfs none /mnt && mkdir \"/mnt/a jail\" /mnt/sys &&
    mount -t proc none \"/mnt/a jail\" && mount -t sysfs none /mnt/sys && exec \"$0\"' \"$0\"";

#[tokio::test]
async fn all_mounts_of_the_kernels_settings_are_read_only() {
    if !has("python") || !is_root() || !allows(&MORE_MOUNTS.replace("\"$0\"", "true")) {
        return;
    }
    for lines in ["", "private_tmp = false"] {
        let folder = code();
        let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", lines));
        write(folder.path(), "functions.toml", &text);
        let runner = Process::start_after(MORE_MOUNTS, "function-runner", folder.path()).await;
        for (path, is_writable) in [
            ("/mnt", "true"),
            ("/proc/sys/fs", "false"),
            ("/proc/sys/fs/inner", "false"),
            ("/sys/block", "false"),
            ("/mnt/a jail/sys/kernel/core_pattern", "false"),
            ("/mnt/sys/kernel", "false"),
        ] {
            let found = eval_in(&runner, &format!("os.path.exists('{path}')")).await;
            assert_eq!(found, "true", "{path}");
            let found = eval_in(&runner, &format!("os.access('{path}', os.W_OK)")).await;
            assert_eq!(found, is_writable, "{path}");
        }
        runner.signal(Signal::SIGTERM);
        assert!(runner.ended().await.success());
    }
}
