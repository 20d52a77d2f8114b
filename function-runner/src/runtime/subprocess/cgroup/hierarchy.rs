//! The folders for control groups: below the group of the runner, in a folder of their own.
//!
//! Each run of the runner makes a folder with a new name, and holds a lock on it (`flock(2)`),
//! which the kernel releases when the process ends. So a folder whose lock is free belongs to a run
//! that has ended, whatever process ids are in use now.

mod run_folder;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::fcntl::Flock;

/// Where the system mounts control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// The folders in which the groups of instances are.
#[derive(Debug)]
pub(in super::super) struct Hierarchy {
    pub(super) version: Version,
    /// One folder for each hierarchy; the first limits memory.
    pub(super) folders: Vec<PathBuf>,
    #[expect(dead_code, reason = "held, not read")]
    pub(super) locks: Vec<Flock<File>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

impl Hierarchy {
    /// Makes the folders, and removes those of runs that have ended. An error if the system does
    /// not let us.
    pub(in super::super) fn open() -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let root = Path::new(ROOT);
        let (version, bases) = if root.join("cgroup.controllers").exists() {
            (Version::V2, vec![base(root, &own, "")?])
        } else {
            let base = |controller| base(&root.join(controller), &own, controller);
            (Version::V1, vec![base("memory")?, base("pids")?])
        };
        // The last one first, which limits processes.
        for base in bases.iter().rev() {
            run_folder::remove_stale(base);
        }
        let (mut folders, mut locks) = (Vec::new(), Vec::new());
        for base in &bases {
            let (folder, lock) = run_folder::create(base)?;
            folders.push(folder);
            locks.push(lock);
        }
        let hierarchy = Self { version, folders, locks };
        if version == Version::V2 {
            let opened = bases
                .iter()
                .zip(&hierarchy.folders)
                .try_for_each(|(base, folder)| delegate(base, folder));
            if let Err(error) = opened {
                hierarchy.remove();
                return Err(error);
            }
        }
        Ok(hierarchy)
    }

    /// The folders, for the process that cleans up after the runner.
    pub(in super::super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    fn remove(&self) {
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The runner's own group of `controller`. `own` is the text of `/proc/self/cgroup`. If a container
/// does not see that group, it is the root.
fn base(root: &Path, own: &str, controller: &str) -> io::Result<PathBuf> {
    let path = own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(path)
    });
    let path = path.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let base = root.join(path.trim_start_matches('/'));
    Ok(if base.is_dir() { base } else { root.to_owned() })
}

/// Allows limits for the groups in `folder`. A group that allows them may have no processes of its
/// own, so the runner moves to a group below `folder` if it is alone in `base`.
fn delegate(base: &Path, folder: &Path) -> io::Result<()> {
    let give = |folder: &Path| fs::write(folder.join("cgroup.subtree_control"), "+memory +pids");
    if give(base).is_err() {
        let below = folder.join("runner");
        fs::create_dir(&below)?;
        fs::write(below.join("cgroup.procs"), "0")?;
        if let Err(error) = give(base) {
            fs::write(base.join("cgroup.procs"), "0")?;
            let _ = fs::remove_dir(below);
            return Err(error);
        }
    }
    give(folder)
}
