//! A disk that hangs: neither clients nor the gateway's end wait for it for ever.
//!
//! The test pauses the thread that owns the journal's file. Only this thread waits for the disk.

use std::fs;

use nix::{
    errno::Errno,
    sys::{
        ptrace,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use tokio::time::sleep;

use super::runs::{GatewayRuns, PATH};
use crate::support::{client::Client, process::Process, soon};

/// A paused thread of the gateway. It must be resumed by the thread that has paused it.
struct PausedThread(Pid);

impl PausedThread {
    fn journal_of(gateway: &Process) -> Self {
        let threads = fs::read_dir(format!("/proc/{}/task", gateway.pid())).unwrap();
        let is_journal = |task: &fs::DirEntry| {
            fs::read_to_string(task.path().join("comm")).unwrap() == "journal\n"
        };
        let task = threads.map(Result::unwrap).find(is_journal).unwrap();
        let thread = Pid::from_raw(task.file_name().to_str().unwrap().parse().unwrap());
        ptrace::attach(thread).unwrap();
        waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
        Self(thread)
    }

    fn resume(self) {
        ptrace::detach(self.0, None).unwrap();
    }

    /// Waits until the process has ended. The system reports the end of the process only after the
    /// end of its traced thread has been waited for.
    async fn gone(self) {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
        soon("the end of the process", async {
            loop {
                match waitpid(self.0, Some(flags)) {
                    Ok(WaitStatus::StillAlive) => sleep(std::time::Duration::from_millis(5)).await,
                    Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => {
                        return;
                    }
                    other => panic!("{other:?}"),
                }
            }
        })
        .await;
    }
}

/// New clients are refused, open connections are served, and a drain ends.
#[tokio::test]
async fn a_hanging_disk_blocks_neither_open_connections_nor_the_drain() {
    let runs = GatewayRuns::new("drain = { timeout = '1s' }").await;
    let gateway = runs.start().await;
    let address = gateway.address("public");
    let mut client = Client::connect(address, PATH).await.unwrap();
    let list = format!("http://{}/cleanups", gateway.address("internal"));

    let paused = PausedThread::journal_of(&gateway);
    let (refused, listed) =
        tokio::join!(Client::connect(address, PATH), crate::support::access::get(&list));
    assert_eq!(refused.err().unwrap().status(), 503);
    assert_eq!(listed.unwrap().status(), 503);
    client.send("hello").await;
    assert_eq!(runs.backend.next("transmit").await.data(), "hello");

    // Nothing is left of the refused client.
    paused.resume();
    let mut coming = Client::connect(address, PATH).await.unwrap();
    let listed = crate::support::access::get(&list).await.unwrap().text().await.unwrap();
    assert!(listed.contains(r#""owed":2,"#), "{listed}");

    let paused = PausedThread::journal_of(&gateway);
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!((client.closed().await, coming.closed().await), (1001, 1001));
    paused.gone().await;
    gateway.ended().await;
    runs.backend.oracle().all_cleaned_up().await;
}
