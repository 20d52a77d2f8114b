//! The keeper: a shell that outlives the runner by a moment, to kill what the runner left.
//!
//! The parent-death signal ends the children of a runner that was killed, but not the processes
//! that the children have started. The keeper knows their process groups and control groups. Its
//! input ends with the runner, however the runner ends.

use std::{
    fmt,
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
};

use daemon::children;
use tracing::warn;

const SCRIPT: &str = include_str!("../../../runtimes/keeper.sh");

/// The runner's handle to the keeper.
#[derive(Debug)]
pub(super) struct Keeper(Option<ChildStdin>);

impl Keeper {
    pub(super) fn start() -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT])
            .env_clear()
            .current_dir("/")
            // A signal of the terminal to its foreground group must not end the keeper.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match children::spawn(&mut command) {
            Ok(mut child) => {
                children::abandon(child.id().cast_signed());
                Self(child.stdin.take())
            }
            Err(error) => {
                warn!(%error, "no keeper: if the runner is killed, processes of its functions may go on");
                Self(None)
            }
        }
    }

    /// The control groups in `folder` are ours: the keeper kills all processes in them.
    pub(super) fn fence(&mut self, folder: &Path) {
        self.say("fence", folder.display());
    }

    /// The process group `group` lives.
    pub(super) fn add(&mut self, group: i32) {
        self.say("add", group);
    }

    /// The process group `group` has ended. Its number may be used again.
    pub(super) fn remove(&mut self, group: i32) {
        self.say("del", group);
    }

    fn say(&mut self, verb: &str, what: impl fmt::Display) {
        if let Some(stdin) = &mut self.0
            && let Err(error) = writeln!(stdin, "{verb} {what}")
        {
            warn!(%error, "the keeper has ended");
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::process::ExitStatusExt,
        process::{Command, Stdio},
    };

    use super::SCRIPT;

    /// As where control groups are delegated: the keeper is in the group of the runner.
    #[test]
    fn the_keeper_ends_the_processes_of_all_instances_and_not_itself() {
        let fence = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("/bin/sh");
        let mut keeper = keeper.args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn().unwrap();
        let sleep = || Command::new("sleep").arg("60").spawn().unwrap();
        let mut left = [sleep(), sleep()];
        let ids = [left[0].id(), keeper.id(), left[1].id()];
        for (group, id) in ["python-0", "runner", "zz-1"].into_iter().zip(ids) {
            let folder = fence.path().join(group);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("cgroup.procs"), format!("{id}\n")).unwrap();
            fs::write(folder.join("pids.max"), "1024\n").unwrap();
        }
        let mut input = keeper.stdin.take().unwrap();
        writeln!(input, "fence {}", fence.path().display()).unwrap();
        drop(input);
        let how = keeper.wait().unwrap();
        assert!(how.success(), "the keeper: {how}");
        for process in &mut left {
            assert_eq!(process.wait().unwrap().signal(), Some(9));
        }
        let limit = |group| fs::read_to_string(fence.path().join(group).join("pids.max")).unwrap();
        assert_eq!(["python-0", "runner", "zz-1"].map(limit), ["0\n", "1024\n", "0\n"]);
    }
}
