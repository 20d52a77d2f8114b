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
    process::{Child, Command},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use nix::{
    sys::wait::{WaitPidFlag, waitpid},
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

/// The children that this process has started and not reaped.
static CHILDREN: Mutex<BTreeMap<i32, Owner>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Somebody waits for the child.
    Waits,
    Gone,
}

/// Starts a child. Its owner has to call [`reaped`] after it has waited for the child, or
/// [`abandon`]. All children have to be started here: others might be reaped before their owner
/// has waited for them.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    // Locked until the child is known, so that it is not taken for a stranger.
    let mut children = children();
    let child = command.spawn()?;
    children.insert(child.id().cast_signed(), Owner::Waits);
    Ok(child)
}

/// The child `id` was waited for.
pub fn reaped(id: i32) {
    children().remove(&id);
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
    let mut children = children();
    children.retain(|id, owner| match owner {
        Owner::Waits => true,
        Owner::Gone => !is_reaped(*id),
    });
    // Nobody but process 1 gets children that it has not started.
    if process::id() == 1 {
        for id in strangers().filter(|id| !children.contains_key(id)) {
            is_reaped(id);
        }
    }
}

/// Reaps the child `id`, if it has ended. Whether it is no child any more.
fn is_reaped(id: i32) -> bool {
    use nix::sys::wait::WaitStatus::StillAlive;
    waitpid(Pid::from_raw(id), Some(WaitPidFlag::WNOHANG)) != Ok(StillAlive)
}

/// All children of process 1 that have ended.
fn strangers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name of the program is in brackets, and may have any characters in it.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with("Z 1 "))
    })
}

fn children() -> MutexGuard<'static, BTreeMap<i32, Owner>> {
    CHILDREN.lock().expect("nothing panics with the lock held")
}
