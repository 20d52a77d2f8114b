//! The child processes of this process, and processes that it has to reap although it did not start
//! them.
//!
//! A process whose parent has ended becomes a child of process 1. In a container that is this
//! process. When it ends, it stays in the table of processes until process 1 has reaped it. The
//! exit status of a child that somebody waits for is never taken away.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    future::pending,
    io, process,
    process::{Child, Command, ExitStatus},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::wait::{Id, WaitPidFlag, waitid, waitpid},
    unistd::Pid,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::sleep,
};
use tracing::warn;

/// How long after the end of a child processes are reaped: others end at the same time.
const PAUSE: Duration = Duration::from_millis(100);

/// The children that this process has started and not reaped. Locked for moments only.
static CHILDREN: Mutex<BTreeMap<i32, Owner>> = Mutex::new(BTreeMap::new());
/// Locked while a child is started, until it is in the table: it must not be taken for a stranger.
static STARTS: Mutex<()> = Mutex::new(());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Somebody waits for the child.
    Waits,
    Gone,
}

/// Starts a child. Its owner has to call [`wait`] or [`abandon`]. All children have to be started
/// here: others might be reaped before their owner has waited for them. Blocking.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _starts = starts();
    let child = command.spawn()?;
    children().insert(child.id().cast_signed(), Owner::Waits);
    Ok(child)
}

/// Waits for the end of a child, and reaps it. Blocking, unless the child has ended.
pub fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let id = child.id().cast_signed();
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(Pid::from_raw(id)), flags) == Err(Errno::EINTR) {}
    // Locked, since the number may belong to the next child as soon as this one is reaped.
    let mut children = children();
    let status = child.wait();
    children.remove(&id);
    status
}

/// Nobody will wait for the child `id`.
pub fn abandon(id: i32) {
    if let Some(owner) = children().get_mut(&id) {
        *owner = Owner::Gone;
    }
}

/// Reaps children that nobody waits for when they have ended.
pub(crate) async fn reap() -> Infallible {
    let Ok(mut ended) = signal(SignalKind::child()) else {
        warn!("processes that have ended will not be reaped");
        return pending().await;
    };
    loop {
        // Blocking: looks at all processes.
        let _ = spawn_blocking(reap_ended).await;
        ended.recv().await;
        sleep(PAUSE).await;
    }
}

fn reap_ended() {
    children().retain(|id, owner| match owner {
        Owner::Waits => true,
        Owner::Gone => !is_reaped(*id),
    });
    // Only process 1 gets children that it has not started.
    if process::id() == 1 {
        reap_strangers(&strangers());
    }
}

/// Reaps those of the children `ids` that this process has not started.
fn reap_strangers(ids: &[i32]) {
    if ids.is_empty() {
        return;
    }
    let _starts = starts();
    let children = children();
    for id in ids.iter().filter(|id| !children.contains_key(id)) {
        is_reaped(*id);
    }
}

/// Reaps the child `id`, if it has ended. False if it still runs.
fn is_reaped(id: i32) -> bool {
    use nix::sys::wait::WaitStatus::StillAlive;
    waitpid(Pid::from_raw(id), Some(WaitPidFlag::WNOHANG)) != Ok(StillAlive)
}

/// All children of process 1 that have ended.
fn strangers() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_ended = |id: &i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name of the program is in brackets, and may have any characters in it.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with("Z 1 "))
    };
    ids.filter(has_ended).collect()
}

fn children() -> MutexGuard<'static, BTreeMap<i32, Owner>> {
    CHILDREN.lock().expect("nothing panics with the lock held")
}

fn starts() -> MutexGuard<'static, ()> {
    STARTS.lock().expect("nothing panics with the lock held")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::{
        errno::Errno,
        sys::wait::{Id, WaitPidFlag, waitid},
        unistd::Pid,
    };

    use super::{abandon, children, reap_ended, reap_strangers, spawn, wait};

    /// Waits until the child `id` has ended, and does not reap it. Whether there is such a child.
    fn has_ended(id: i32) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(Pid::from_raw(id)), flags) != Err(Errno::ECHILD)
    }

    #[test]
    fn a_child_is_reaped_by_its_owner_or_when_its_owner_has_gone() {
        let exit = || spawn(Command::new("/bin/sh").args(["-c", "exit 7"])).unwrap();
        let (mut waited, left) = (exit(), exit());
        let ids = [&waited, &left].map(|child| child.id().cast_signed());
        assert_eq!(ids.map(has_ended), [true, true]);
        abandon(ids[1]);
        reap_ended();
        reap_strangers(&ids);
        assert_eq!(ids.map(has_ended), [true, false]);
        assert_eq!(wait(&mut waited).unwrap().code(), Some(7));
        assert_eq!(ids.map(has_ended), [false, false]);
        let children = children();
        assert!(ids.iter().all(|id| !children.contains_key(id)), "{children:?}");
    }

    #[test]
    fn a_child_that_nobody_has_started_here_is_reaped() {
        let stranger = Command::new("true").spawn().unwrap().id().cast_signed();
        assert!(has_ended(stranger));
        reap_strangers(&[stranger]);
        assert!(!has_ended(stranger));
    }

    #[test]
    fn waiting_for_a_child_that_runs_keeps_no_lock() {
        let mut child = spawn(
            Command::new("/bin/sh").args(["-c", "read line"]).stdin(std::process::Stdio::piped()),
        )
        .unwrap();
        let input = child.stdin.take();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&mut child).unwrap());
            let mut other = spawn(&mut Command::new("true")).unwrap();
            assert!(wait(&mut other).unwrap().success());
            drop(input);
            assert!(!waiting.join().unwrap().success());
        });
    }
}
