//! The keeper: a shell that outlives the runner by a moment, to kill what the runner left.
//!
//! The parent-death signal reaches the children of a runner that was killed, but not what those
//! have started. The keeper knows their process groups, and their control groups. It learns of the runner's end by the end
//! of its input, so nothing that ends a runner passes it by.

use std::{
    fmt,
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
};

use tracing::warn;

const SCRIPT: &str = include_str!("../../../runtimes/keeper.sh");

/// The runner's end of it.
#[derive(Debug)]
pub(super) struct Keeper(Option<ChildStdin>);

impl Keeper {
    pub(super) fn start() -> Self {
        let started = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .current_dir("/")
            // What a terminal sends to its foreground group is not for the keeper.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(mut child) => Self(child.stdin.take()),
            Err(error) => {
                warn!(%error, "no keeper: a killed runner may leave what its functions started");
                Self(None)
            }
        }
    }

    /// The control groups in `folder` are ours, and whatever is in them.
    pub(super) fn fence(&mut self, folder: &Path) {
        self.say("fence", folder.display());
    }

    /// The process group `group` lives.
    pub(super) fn add(&mut self, group: i32) {
        self.say("add", group);
    }

    /// The process group `group` is no more; another one may get its number.
    pub(super) fn remove(&mut self, group: i32) {
        self.say("del", group);
    }

    fn say(&mut self, verb: &str, what: impl fmt::Display) {
        if let Some(stdin) = &mut self.0
            && let Err(error) = writeln!(stdin, "{verb} {what}")
        {
            warn!(%error, "the keeper has gone");
            self.0 = None;
        }
    }
}
