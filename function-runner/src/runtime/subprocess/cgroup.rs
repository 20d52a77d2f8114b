//! The control group of an instance, where the system lets us make one.
//!
//! Its limits hold at once, for all processes that the function starts. A process that leaves the
//! process group is still in the control group. Version 2
//! (<https://docs.kernel.org/admin-guide/cgroup-v2.html>) or 1.

mod hierarchy;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::sleep;
use tracing::warn;

pub(super) use self::hierarchy::Hierarchy;
use self::hierarchy::Version;

/// Processes and threads of an instance (documented).
const PROCESSES_MAX: &str = "1024";
/// The file that lists the processes of a group, and to which new ones are written.
const ENTRY: &str = "cgroup.procs";
/// The pause between attempts to remove a group, and their number. Killed processes take a moment
/// to end.
const REMOVE_PAUSE: Duration = Duration::from_millis(10);
const REMOVE_ATTEMPTS: usize = 100;

/// The control group of one instance. It has to be removed.
#[derive(Debug)]
pub(super) struct Cgroup {
    version: Version,
    /// One folder for each hierarchy; the first limits memory.
    folders: Vec<PathBuf>,
}

impl Cgroup {
    /// A new group called `name`.
    pub(super) fn new(hierarchy: &Hierarchy, name: &str, memory_mb: u32) -> io::Result<Self> {
        let folders: Vec<_> = hierarchy.folders.iter().map(|folder| folder.join(name)).collect();
        let cgroup = Self { version: hierarchy.version, folders };
        let made = cgroup.folders.iter().try_for_each(fs::create_dir);
        let made = made.and_then(|()| cgroup.limit(u64::from(memory_mb) << 20));
        if made.is_err() {
            cgroup.try_remove();
        }
        made.map(|()| cgroup)
    }

    fn limit(&self, memory_bytes: u64) -> io::Result<()> {
        let memory_bytes = memory_bytes.to_string();
        let (Some(first), Some(last)) = (self.folders.first(), self.folders.last()) else {
            return Ok(());
        };
        match self.version {
            Version::V1 => {
                fs::write(first.join("memory.limit_in_bytes"), &memory_bytes)?;
                // This file exists only where the kernel accounts for swap.
                let _ = fs::write(first.join("memory.memsw.limit_in_bytes"), &memory_bytes);
            }
            Version::V2 => {
                fs::write(first.join("memory.max"), &memory_bytes)?;
                let _ = fs::write(first.join("memory.swap.max"), "0");
                let _ = fs::write(first.join("memory.oom.group"), "1");
            }
        }
        fs::write(last.join("pids.max"), PROCESSES_MAX)
    }

    /// The files to which a process writes `0` to enter the group.
    pub(super) fn entry_files(&self) -> io::Result<Vec<File>> {
        let open = |folder: &PathBuf| OpenOptions::new().write(true).open(folder.join(ENTRY));
        self.folders.iter().map(open).collect()
    }

    /// The file that lists the processes in the group.
    pub(super) fn processes_file(&self) -> Option<PathBuf> {
        self.folders.first().map(|folder| folder.join(ENTRY))
    }

    /// Whether the kernel has killed a process of the group because memory ran out.
    pub(super) fn is_out_of_memory(&self) -> bool {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        let text =
            self.folders.first().and_then(|folder| fs::read_to_string(folder.join(file)).ok());
        let count = |text: String| {
            text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok())
        };
        text.and_then(count).is_some_and(|count| count > 0)
    }

    /// Kills all processes in the group and removes it.
    pub(super) async fn remove(&self) {
        for _ in 0..REMOVE_ATTEMPTS {
            if self.try_remove() {
                return;
            }
            sleep(REMOVE_PAUSE).await;
        }
        for folder in self.folders.iter().filter(|folder| folder.exists()) {
            warn!(folder = %folder.display(), "a control group was not removed: processes are left in it");
        }
    }

    /// The last group first, which limits processes.
    fn try_remove(&self) -> bool {
        self.folders.iter().rev().all(|folder| remove(folder))
    }
}

/// Kills all processes in the group `folder`, and tries to remove it. Whether it is gone.
fn remove(folder: &Path) -> bool {
    // Nothing forks from here on: a process that forks and ends all the time would have another id
    // before the signal comes. The group may be one without this file.
    let _ = put(folder, "pids.max", "0");
    // Version 2 kills them with one write.
    if put(folder, "cgroup.kill", "1").is_err() {
        let processes = fs::read_to_string(folder.join(ENTRY)).unwrap_or_default();
        for process in processes.lines().filter_map(|line| line.parse().ok()) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
    match fs::remove_dir(folder) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Writes `text` to a file that the kernel has made.
fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(folder.join(name))?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Cgroup, Hierarchy, Version, remove};

    #[test]
    fn a_group_that_cannot_be_made_in_all_hierarchies_leaves_nothing() {
        let memory = tempfile::tempdir().unwrap();
        let folders = vec![memory.path().to_owned(), memory.path().join("absent")];
        let hierarchy = Hierarchy { version: Version::V1, folders, locks: Vec::new() };
        assert!(Cgroup::new(&hierarchy, "python-0", 128).is_err());
        assert!(!memory.path().join("python-0").exists());
    }

    #[test]
    fn nothing_in_a_group_can_fork_once_it_is_being_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pids.max"), "9").unwrap();
        assert!(!remove(folder.path()));
        assert_eq!(fs::read_to_string(folder.path().join("pids.max")).unwrap(), "0");
    }
}
