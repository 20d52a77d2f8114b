//! What other processes of the same user see of the services. A function without a `user` of its
//! own is such a process.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
};

use nix::unistd::User;

use crate::support::{
    machine::is_root,
    process::{Process, binary, run_shell},
};

const GATEWAY: &str = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n\
                       journal.sync = \"off\"\n[[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
const FUNCTIONS: &str = "listen.internal = \"127.0.0.1:0\"\n[functions.x]\nruntime = \"custom\"\n\
                         code = \"code\"\n";

/// Secrets come in variables, and all are in memory.
#[tokio::test]
async fn a_process_of_the_same_user_sees_neither_the_environment_nor_the_memory() {
    if !is_root() {
        return;
    }
    let user = User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    let as_nobody = format!("setpriv --reuid {user} --clear-groups");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    // For the files that the services make at their first start.
    chown(path, Some(user), None).unwrap();
    fs::create_dir(path.join("code")).unwrap();
    fs::write(path.join("code/bootstrap"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(path.join("code/bootstrap"), Permissions::from_mode(0o755)).unwrap();
    fs::write(path.join("gateway.toml"), GATEWAY).unwrap();
    fs::write(path.join("functions.toml"), FUNCTIONS).unwrap();
    // Of any other process of the user.
    let other =
        format!("{as_nobody} sh -c 'sleep 60 & cat /proc/$!/environ; was=$?; kill $!; exit $was'");
    assert!(run_shell(&other, path).await.status.success());
    for name in ["gateway", "function-runner"] {
        let program = path.join(name);
        let copied = fs::hard_link(binary(name), &program);
        copied.or_else(|_| fs::copy(binary(name), &program).map(drop)).unwrap();
        let shell = format!("exec {as_nobody} {}", program.display());
        let process = Process::start_shell(&shell, path).await;
        let id = process.pid();
        for file in ["environ", "maps", "mem"] {
            let read = format!("{as_nobody} sh -c 'exec 3< /proc/{id}/{file} && cat <&3'");
            let seen = run_shell(&read, path).await;
            assert!(!seen.status.success(), "{name} {file}");
            assert!(seen.stderr.contains("Permission denied"), "{file}: {}", seen.stderr);
        }
        if name == "function-runner" {
            mounts_are_as_before(&process, &as_nobody, path).await;
        }
    }
}

/// An instance writes the files of its user namespace itself, and these belong to root while it is
/// closed to others.
async fn mounts_are_as_before(runner: &Process, as_nobody: &str, folder: &std::path::Path) {
    let can = run_shell(&format!("{as_nobody} unshare -Urm mount -t tmpfs x /tmp"), folder).await;
    let line = if can.status.success() {
        "each instance has a /tmp and a /dev/shm of its own"
    } else {
        "no mount can be made"
    };
    runner.logged(line).await;
}
