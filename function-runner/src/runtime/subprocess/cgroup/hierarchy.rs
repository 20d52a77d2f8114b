//! The folders for control groups: below the group of the runner, in a folder of their own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// Where the system mounts control groups.
const ROOT: &str = "/sys/fs/cgroup";
/// The names of our folders begin so; the id of the process follows.
const PREFIX: &str = "longhold-";

/// The folders in which the groups of instances are.
#[derive(Debug)]
pub(in super::super) struct Hierarchy {
    pub(super) version: Version,
    /// One folder for each hierarchy; the first limits memory.
    pub(super) folders: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

impl Hierarchy {
    /// Makes the folders. An error if the system does not let us.
    pub(in super::super) fn open() -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let root = Path::new(ROOT);
        let name = format!("{PREFIX}{}", process::id());
        let (version, bases) = if root.join("cgroup.controllers").exists() {
            (Version::V2, vec![base(root, &own, "")?])
        } else {
            let base = |controller| base(&root.join(controller), &own, controller);
            (Version::V1, vec![base("memory")?, base("pids")?])
        };
        for base in &bases {
            remove_stale(base);
        }
        let folders: Vec<_> = bases.iter().map(|base| base.join(&name)).collect();
        for folder in &folders {
            fs::create_dir(folder)?;
        }
        let hierarchy = Self { version, folders };
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

/// Removes the groups of runners that were killed.
fn remove_stale(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            for group in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                if group.file_type().is_ok_and(|kind| kind.is_dir()) {
                    super::remove(&group.path());
                }
            }
            let _ = fs::remove_dir(entry.path());
        }
    }
}
