//! The one thread that starts child processes.
//!
//! The thread runs as long as the process: the kernel sends the parent-death signal to a child when
//! the thread that started it ends, not when the process does.

use std::{
    io,
    path::PathBuf,
    process::{Child, Command},
    sync::{
        OnceLock,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use daemon::children;
use tokio::sync::oneshot;

use super::keeper::Keeper;

/// How many tasks may wait for the thread. Each takes about a millisecond.
const WAITING_MAX: usize = 1024;

enum Task {
    Spawn(Box<Command>, oneshot::Sender<io::Result<Child>>),
    Forget(i32),
    Fence(PathBuf),
}

/// Starts `command`, which makes a process group of its own.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (sender, spawned) = oneshot::channel();
    let full = |_| io::Error::other("too many processes are being started");
    thread().try_send(Task::Spawn(Box::new(command), sender)).map_err(full)?;
    spawned.await.map_err(|_| io::Error::other("the thread that starts processes has gone"))?
}

/// The process group `group` is about to be gone.
pub(super) fn forget(group: i32) {
    let _ = thread().try_send(Task::Forget(group));
}

/// Instances have their control groups in these folders.
pub(super) fn fence(folders: &[PathBuf]) {
    for folder in folders {
        let _ = thread().try_send(Task::Fence(folder.clone()));
    }
}

fn thread() -> &'static SyncSender<Task> {
    static THREAD: OnceLock<SyncSender<Task>> = OnceLock::new();
    THREAD.get_or_init(|| {
        let (sender, tasks) = sync_channel(WAITING_MAX);
        let builder = thread::Builder::new().name("spawner".to_owned());
        // If the thread does not start, the channel is closed, and each spawn fails.
        let _ = builder.spawn(move || run(&tasks));
        sender
    })
}

fn run(tasks: &Receiver<Task>) {
    let mut keeper = Keeper::start();
    while let Ok(task) = tasks.recv() {
        match task {
            Task::Spawn(mut command, sender) => {
                let spawned = children::spawn(&mut command);
                if let Ok(child) = &spawned {
                    keeper.add(child.id().cast_signed());
                }
                // The caller has gone: nothing else knows of the child.
                if let Err(Ok(child)) = sender.send(spawned) {
                    discard(child, &mut keeper);
                }
            }
            Task::Forget(group) => keeper.remove(group),
            Task::Fence(folder) => keeper.fence(&folder),
        }
    }
}

fn discard(mut child: Child, keeper: &mut Keeper) {
    let _ = child.kill();
    let _ = children::wait(&mut child);
    keeper.remove(child.id().cast_signed());
}
