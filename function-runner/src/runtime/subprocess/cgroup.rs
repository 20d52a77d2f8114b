//! A fence around an instance: a control group of its own, where the system lets us make one.
//!
//! Its limits hold at once and for all that the function starts, and whatever leaves the process
//! group is still in it. Version 2 (<https://docs.kernel.org/admin-guide/cgroup-v2.html>) or 1.

mod hierarchy;

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::sleep;

pub(super) use self::hierarchy::Hierarchy;
use self::hierarchy::Version;

/// Processes and threads of an instance (documented).
const PROCESSES_MAX: &str = "1024";
/// How often, and how many times, a group is tried to be removed: killed processes take a moment.
const REMOVE_PAUSE: Duration = Duration::from_millis(10);
const REMOVE_ATTEMPTS: usize = 100;

/// The control group of one instance. It has to be removed.
#[derive(Debug)]
pub(super) struct Cgroup {
    version: Version,
    /// One for each hierarchy; the first has the memory.
    folders: Vec<PathBuf>,
}

impl Cgroup {
    /// A new group called `name`.
    pub(super) fn new(hierarchy: &Hierarchy, name: &str, memory_mb: u32) -> io::Result<Self> {
        let folders: Vec<_> = hierarchy.folders.iter().map(|folder| folder.join(name)).collect();
        let cgroup = Self { version: hierarchy.version, folders };
        for folder in &cgroup.folders {
            fs::create_dir(folder)?;
        }
        let limited = cgroup.limit(u64::from(memory_mb) << 20);
        if limited.is_err() {
            cgroup.try_remove();
        }
        limited.map(|()| cgroup)
    }

    fn limit(&self, memory_bytes: u64) -> io::Result<()> {
        let memory_bytes = memory_bytes.to_string();
        let (Some(first), Some(last)) = (self.folders.first(), self.folders.last()) else {
            return Ok(());
        };
        match self.version {
            Version::V1 => {
                fs::write(first.join("memory.limit_in_bytes"), &memory_bytes)?;
                // Only where swap is accounted for.
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

    /// The files to which a process writes `0` to enter.
    pub(super) fn doors(&self) -> io::Result<Vec<File>> {
        let open =
            |folder: &PathBuf| OpenOptions::new().write(true).open(folder.join("cgroup.procs"));
        self.folders.iter().map(open).collect()
    }

    /// Whether the kernel has killed a process of it for want of memory.
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

    /// Kills what is left in it and removes it.
    pub(super) async fn remove(&self) {
        for _ in 0..REMOVE_ATTEMPTS {
            if self.try_remove() {
                return;
            }
            sleep(REMOVE_PAUSE).await;
        }
    }

    fn try_remove(&self) -> bool {
        self.folders.iter().all(|folder| remove(folder))
    }
}

/// Kills what is in the group `folder`, and tries to remove it. Whether it is gone.
fn remove(folder: &Path) -> bool {
    // Version 2 can do it all at once.
    if fs::write(folder.join("cgroup.kill"), "1").is_err() {
        let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for process in processes.lines().filter_map(|line| line.parse().ok()) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
    match fs::remove_dir(folder) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
