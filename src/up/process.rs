//! Runs a program to its end: an interpreter that is asked, pip, npm, the command of `--exec`.
//!
//! It has no input and a group of its own. Once nobody waits for it, the whole group is killed: pip
//! and npm start programs too, and commands do.

mod environment;

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus, Stdio},
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

pub(super) use self::environment::passed_to_installers;

/// What is kept of the output of a program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// The beginning of standard output: so many bytes at most.
    Answer(usize),
    /// The end of standard output and standard error, in the order in which they were written.
    Messages(usize),
    /// Nothing: the person who has started us sees all of it.
    Nothing,
}

/// A program that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
}

/// Starts `command` and waits for its end, for so long at most.
pub(super) async fn run(mut command: Command, kept: Kept, limit: Duration) -> io::Result<Ended> {
    command.process_group(0).stdin(Stdio::null());
    let (output, written) = io::pipe()?;
    match kept {
        Kept::Answer(_) => command.stdout(written).stderr(Stdio::null()),
        Kept::Messages(_) => command.stdout(written.try_clone()?).stderr(written),
        Kept::Nothing => {
            drop(written);
            &mut command
        }
    };
    // Before it starts, so that no signal is missed.
    let ended = signal(SignalKind::child())?;
    let mut group = Group { leader: children::spawn(&mut command)?, ended, status: None };
    // It has an end of the pipe, which would keep the output open.
    drop(command);
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(output))?;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("has not ended in {limit:?}"));
    timeout(limit, group.finish(output, kept)).await.map_err(late)?
}

/// A program and those that it has started. Dropped, they are killed.
#[derive(Debug)]
struct Group {
    leader: Child,
    ended: tokio::signal::unix::Signal,
    /// How the leader has ended. Its number may belong to another group from then on.
    status: Option<ExitStatus>,
}

impl Group {
    async fn finish(&mut self, pipe: pipe::Receiver, kept: Kept) -> io::Result<Ended> {
        let mut output = Vec::new();
        let mut is_open = true;
        let status = loop {
            tokio::select! {
                open = read(&pipe, &mut output, kept), if is_open => is_open = open?,
                status = self.wait() => break status?,
            }
        };
        // All that could write more has been killed, but for what has left the group.
        while is_open {
            is_open = read(&pipe, &mut output, kept).await?;
        }
        Ok(Ended { status, output })
    }

    /// Waits for the end of the leader, then kills the others. Can be dropped and called again.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        while !self.has_ended() {
            self.ended.recv().await;
        }
        self.reap()
    }

    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        loop {
            match waitid(Id::Pid(self.number()), flags) {
                Ok(WaitStatus::StillAlive) => return false,
                Err(Errno::EINTR) => {}
                Ok(_) | Err(_) => return true,
            }
        }
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        let _ = killpg(self.number(), Signal::SIGKILL);
        let status = children::wait(&mut self.leader)?;
        self.status = Some(status);
        Ok(status)
    }

    fn number(&self) -> Pid {
        Pid::from_raw(self.leader.id().cast_signed())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        let _ = killpg(self.number(), Signal::SIGKILL);
        if self.has_ended() {
            let _ = self.reap();
        } else {
            // It ends later.
            children::abandon(self.number().as_raw());
        }
    }
}

/// Reads what there is. False at the end.
async fn read(pipe: &pipe::Receiver, output: &mut Vec<u8>, kept: Kept) -> io::Result<bool> {
    let mut piece = [0; 4096];
    pipe.readable().await?;
    let bytes = match pipe.try_read(&mut piece) {
        Ok(0) => return Ok(false),
        Ok(bytes) => &piece[..bytes],
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
        Err(error) => return Err(error),
    };
    match kept {
        Kept::Answer(most) => {
            let room = most.saturating_sub(output.len());
            output.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Kept::Messages(most) => {
            output.extend_from_slice(bytes);
            let surplus = output.len().saturating_sub(most);
            output.drain(..surplus);
        }
        Kept::Nothing => {}
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{self, Read},
        process::Command,
        time::Duration,
    };

    use nix::{sys::stat::Mode, unistd::mkfifo};
    use tokio::{sync::oneshot, task::spawn_blocking};

    use super::{Kept, run};

    const LIMIT: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn output_is_kept_within_its_bound() {
        let said = async |script, kept| {
            let ended = run(shell(script), kept, LIMIT).await.unwrap();
            (ended.status.success(), String::from_utf8(ended.output).unwrap())
        };
        let script = "echo one; echo two >&2; cat; exit 3";
        assert_eq!(said(script, Kept::Answer(100)).await, (false, "one\n".to_owned()));
        assert_eq!(said(script, Kept::Messages(100)).await, (false, "one\ntwo\n".to_owned()));
        assert_eq!(said("echo 12345", Kept::Answer(3)).await, (true, "123".to_owned()));
        assert_eq!(said("echo 12345", Kept::Messages(3)).await, (true, "45\n".to_owned()));
    }

    /// Otherwise the wait for the end of the output would last as long as that process.
    #[tokio::test]
    async fn processes_that_a_program_leaves_are_killed() {
        let ended = run(shell("sleep 1000 & echo $!"), Kept::Answer(100), LIMIT).await.unwrap();
        assert!(ended.status.success());
    }

    #[tokio::test]
    async fn a_program_that_is_late_is_given_up() {
        let late = run(shell("sleep 1000"), Kept::Answer(100), Duration::from_millis(1)).await;
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_program_that_nobody_waits_for_is_killed_with_its_processes() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let script = format!("sleep 1000 > {} & sleep 1000", pipe.display());
        let (opened, is_open) = oneshot::channel();
        let reader = spawn_blocking(move || {
            let mut file = File::open(pipe).unwrap();
            opened.send(()).unwrap();
            file.read_to_end(&mut Vec::new())
        });
        tokio::select! {
            ended = run(shell(&script), Kept::Answer(100), LIMIT) => panic!("{ended:?}"),
            opened = is_open => opened.unwrap(),
        }
        // Ends when the process that could write has.
        assert_eq!(reader.await.unwrap().unwrap(), 0);
    }
}
