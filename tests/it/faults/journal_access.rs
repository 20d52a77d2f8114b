//! A journal that the user of the gateway may not write: the error says whose permission is missing
//! where, and not that the disk is full or the journal damaged.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
};

use nix::unistd::User;
use tempfile::TempDir;

use super::runs::{GatewayRuns, PATH};
use crate::support::{
    client::Client,
    machine::{allows, is_root},
    process::{Process, binary, run_shell},
    soon,
};

/// A journal that a gateway of the user `nobody` has made, if this process may become that user.
struct Journal {
    runs: GatewayRuns,
    user: u32,
    /// The gateway, where everybody may execute it.
    program: TempDir,
}

impl Journal {
    async fn start() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let user = User::from_name("nobody").unwrap().unwrap().uid.as_raw();
        let runs = GatewayRuns::new("").await;
        let program = tempfile::tempdir().unwrap();
        for folder in [program.path(), runs.folder.path()] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        let path = program.path().join("gateway");
        fs::hard_link(binary("gateway"), &path)
            .or_else(|_| fs::copy(binary("gateway"), &path).map(drop))
            .unwrap();
        chown(runs.folder.path(), Some(user), None).unwrap();
        let journal = Self { runs, user, program };
        GatewayRuns::end(Process::start_shell(&journal.shell(), journal.runs.folder.path()).await)
            .await;
        Some(journal)
    }

    /// Starts a gateway of this user.
    fn shell(&self) -> String {
        let (user, program) = (self.user, self.program.path().join("gateway"));
        let program = program.display();
        format!("exec setpriv --reuid {user} --clear-groups {program}")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.runs.folder.path().join("data/journal").join(name)
    }

    /// What a gateway of this user says that cannot start.
    async fn refused(&self) -> String {
        let ended = run_shell(&self.shell(), self.runs.folder.path()).await;
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        ended.stderr
    }

    /// The gateway is refused, and says that this user lacks the permission for `path`.
    async fn check(&self, path: &str) {
        let said = self.refused().await;
        let path = path.trim_end_matches('/');
        let words = [
            format!("{path}: the user nobody ({}) of this process lacks the permission", self.user),
            "make this user the owner of the folder".to_owned(),
        ];
        for word in words {
            assert!(said.contains(&word), "{word} is not in {said}");
        }
        assert!(!said.contains("free space") && !said.contains("damaged"), "{said}");
    }
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    let Some(journal) = Journal::start().await else { return };
    let set = |name: &str, owner: u32, mode: u32| {
        chown(journal.path(name), Some(owner), None).unwrap();
        fs::set_permissions(journal.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let user = journal.user;
    // As after `accept-loss` or a start by root.
    set("", 0, 0o755);
    journal.check("data/journal").await;
    set("", user, 0o700);
    for name in ["cleanups.sqlite", "cleanups.marker"] {
        set(name, 0, 0o644);
        journal.check(&format!("data/journal/{name}")).await;
        set(name, 0, 0o600);
        journal.check(&format!("data/journal/{name}")).await;
        set(name, user, 0o600);
    }
    fs::remove_dir_all(journal.path("")).unwrap();
    fs::set_permissions(journal.runs.folder.path().join("data"), Permissions::from_mode(0o555))
        .unwrap();
    journal.check("could not make the folder data/journal").await;
    let gateway = journal.runs.start().await;
    GatewayRuns::end(gateway).await;
}

/// Mounted read-only, for root too.
#[tokio::test]
async fn a_read_only_file_system_is_called_one() {
    if !is_root() || !allows("unshare --mount true") {
        return;
    }
    let Some(journal) = Journal::start().await else { return };
    for name in ["service.token", "operator.token"] {
        chown(journal.runs.folder.path().join("data").join(name), Some(0), None).unwrap();
    }
    let mount = "mount --bind data data && mount -o remount,bind,ro data";
    let gateway = binary("gateway");
    let shell = format!("exec unshare --mount sh -c '{mount} && exec {}'", gateway.display());
    let ended = run_shell(&shell, journal.runs.folder.path()).await;
    let words = "data/journal: the file system is mounted read-only; mount it writable";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    // The folder has to be made first.
    fs::remove_dir_all(journal.path("")).unwrap();
    let ended = run_shell(&shell, journal.runs.folder.path()).await;
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

/// As when the owner changes while the gateway runs. A file that nobody may change is one for root
/// too.
#[tokio::test]
async fn a_running_gateway_says_what_it_may_not_write() {
    let runs = GatewayRuns::new("").await;
    let gateway = runs.start().await;
    let journal = runs.folder.path().join("data/journal");
    let fix = async |flag: &str| {
        let shell = format!("chattr {flag} {}/cleanups.sqlite-wal", journal.display());
        run_shell(&shell, runs.folder.path()).await.status.success()
    };
    if !fix("+i").await {
        skipped::because("this file system has no attribute `i` of chattr, or root is needed");
        GatewayRuns::end(gateway).await;
        return;
    }
    let refused = Client::connect(gateway.address("public"), PATH).await.err();
    let log = soon("the line", gateway.logged("lacks the permission")).await;
    assert!(fix("-i").await);
    assert_eq!(refused.unwrap().status(), 503);
    soon("a client", async {
        while Client::connect(gateway.address("public"), PATH).await.is_err() {}
    })
    .await;
    assert!(gateway.log().contains("cleanups.sqlite-wal"), "{log:?}");
    GatewayRuns::end(gateway).await;
}
