//! One child process and the process group that it leads.
//!
//! The group gets signals only while its leader is not reaped: after that, its number may belong to
//! another group.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{self, Command, ExitStatus, Stdio},
    time::Duration,
};

use daemon::children;
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};
use tokio::{
    net::unix::pipe,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use super::spawner;

/// How long a process has to end after SIGTERM, and after SIGKILL.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);

/// A child process. Dropped, it is killed with its process group.
#[derive(Debug)]
pub(super) struct ChildProcess {
    child: process::Child,
    ended: tokio::signal::unix::Signal,
    status: Option<ExitStatus>,
}

impl ChildProcess {
    /// Starts `command` in a group of its own, without input. Standard output and standard error
    /// are one pipe, so that lines come in the order in which they were written.
    pub(super) async fn spawn(mut command: Command) -> io::Result<(Self, pipe::Receiver)> {
        command.process_group(0);
        let (output, written) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(written.try_clone()?).stderr(written);
        // Before the child starts, so that no signal is missed.
        let ended = signal(SignalKind::child())?;
        let child = spawner::spawn(command).await?;
        let child = Self { child, ended, status: None };
        Ok((child, pipe::Receiver::from_owned_fd(OwnedFd::from(output))?))
    }

    pub(super) fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits for the end of the process, then kills the rest of its group and reaps it. Can be
    /// dropped and called again.
    pub(super) async fn wait(&mut self) -> Option<ExitStatus> {
        while self.status.is_none() && !self.has_ended() {
            self.ended.recv().await;
        }
        self.reap();
        self.status
    }

    /// Sends SIGTERM to the group, waits, then kills it.
    pub(super) async fn end(&mut self) {
        if self.status.is_none() {
            self.signal(Signal::SIGTERM);
            let _ = timeout(ASK_TIMEOUT, self.wait()).await;
        }
        self.kill().await;
    }

    /// Kills the group.
    pub(super) async fn kill(&mut self) {
        if self.status.is_none() {
            self.signal(Signal::SIGKILL);
            // A process within a system call may take longer.
            let _ = timeout(ASK_TIMEOUT, self.wait()).await;
        }
    }

    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        loop {
            match waitid(Id::Pid(Pid::from_raw(self.id())), flags) {
                Ok(WaitStatus::StillAlive) => return false,
                Err(Errno::EINTR) => {}
                Ok(_) | Err(_) => return true,
            }
        }
    }

    fn reap(&mut self) {
        if self.status.is_none() {
            self.signal(Signal::SIGKILL);
            spawner::forget(self.id());
            self.status = children::wait(&mut self.child).ok();
        }
    }

    /// Must not be called once the leader is reaped.
    fn signal(&self, signal: Signal) {
        let _ = killpg(Pid::from_raw(self.id()), signal);
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.signal(Signal::SIGKILL);
            if self.has_ended() {
                self.reap();
            } else {
                // It ends later.
                children::abandon(self.id());
            }
        }
    }
}
