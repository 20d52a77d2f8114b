//! A disk that neither works nor fails: nobody waits for it for ever.
//!
//! Held is the thread that owns the journal's file, which is all that waits for the disk.

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

use super::life::{Lives, PATH};
use crate::support::{client::Client, process::Process, soon};

/// A thread that stands still. It must be let go by the thread that holds it.
struct Held(Pid);

impl Held {
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

    fn let_go(self) {
        ptrace::detach(self.0, None).unwrap();
    }

    /// Until the process has gone, whose end the system keeps back until this is noticed.
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

/// New clients are refused, those who are there are served, and a drain ends.
#[tokio::test]
async fn nobody_waits_for_ever() {
    let lives = Lives::new("drain = { timeout = '1s' }").await;
    let gateway = lives.begin().await;
    let address = gateway.door("public");
    let mut client = Client::connect(address, PATH).await.unwrap();
    let list = format!("http://{}/cleanups", gateway.door("internal"));

    let held = Held::journal_of(&gateway);
    let (refused, listed) = tokio::join!(Client::connect(address, PATH), reqwest::get(&list));
    assert_eq!(refused.err().unwrap().status(), 503);
    assert_eq!(listed.unwrap().status(), 503);
    client.send("hello").await;
    assert_eq!(lives.backend.next("transmit").await.data(), "hello");

    // What was given up meanwhile has left nothing behind.
    held.let_go();
    let mut coming = Client::connect(address, PATH).await.unwrap();
    let listed = reqwest::get(&list).await.unwrap().text().await.unwrap();
    assert!(listed.contains(r#""owed":2,"#), "{listed}");

    let held = Held::journal_of(&gateway);
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!((client.closed().await, coming.closed().await), (1001, 1001));
    held.gone().await;
    gateway.ended().await;
    lives.backend.oracle().all_cleaned_up().await;
}
