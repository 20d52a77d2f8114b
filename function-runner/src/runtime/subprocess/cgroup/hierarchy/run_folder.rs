//! The folder of one run of the runner, and the removal of those of earlier runs.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process,
    thread::sleep,
    time::Duration,
};

use nix::{
    fcntl::{Flock, FlockArg},
    unistd::Uid,
};
use tracing::warn;
use uuid::Uuid;

use crate::runtime::subprocess::cgroup;

/// The names of our folders begin so.
const PREFIX: &str = "longhold_";
/// Those of version 0.1.0, with its process id after it. A runner of that version removes each
/// folder whose name begins so and goes on with anything but the id of a living process.
const FORMER_PREFIX: &str = "longhold-";
/// Another run may take a new folder for an old one before it is locked.
const CREATE_ATTEMPTS: usize = 8;
/// Killed processes take a moment to end.
const REMOVE_PAUSE: Duration = Duration::from_millis(10);
const REMOVE_ATTEMPTS: usize = 50;

/// Makes a folder in `base` with a name that nobody can guess, and locks it.
pub(super) fn create(base: &Path) -> io::Result<(PathBuf, Flock<File>)> {
    for _ in 0..CREATE_ATTEMPTS {
        let folder = base.join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        fs::create_dir(&folder)?;
        // If it is gone, another run has removed it before the lock.
        if let Some(lock) = lock(&folder).filter(|_| folder.is_dir()) {
            return Ok((folder, lock));
        }
    }
    Err(io::Error::other("another runner removes each new control group"))
}

/// Removes the folders of runs that have ended, and kills the processes that are left in them.
pub(super) fn remove_stale(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        // `DirEntry::metadata` does not follow links.
        let is_ours = entry
            .metadata()
            .is_ok_and(|data| data.is_dir() && data.uid() == Uid::effective().as_raw());
        let name = entry.file_name();
        if is_ours && name.to_str().is_some_and(is_of_a_run) && !remove(&entry.path()) {
            let folder = entry.path();
            warn!(folder = %folder.display(), "a control group of an earlier run was not removed");
        }
    }
}

/// Removes `folder` if its lock is free. False if something is left in it.
fn remove(folder: &Path) -> bool {
    let Some(_lock) = lock(folder) else { return true };
    let groups = fs::read_dir(folder).into_iter().flatten().flatten();
    let groups: Vec<_> = groups.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    (0..REMOVE_ATTEMPTS).any(|attempt| {
        if attempt > 0 {
            sleep(REMOVE_PAUSE);
        }
        // All of them each time, so that one that takes longer does not keep the others.
        let left = groups.iter().filter(|group| !cgroup::remove(group)).count();
        left == 0 && cgroup::remove(folder)
    })
}

/// The lock on `folder`. `None` if a run that has not ended holds it, or the folder is gone.
fn lock(folder: &Path) -> Option<Flock<File>> {
    Flock::lock(File::open(folder).ok()?, FlockArg::LockExclusiveNonblock).ok()
}

/// Whether a folder with this name belongs to a run that holds its lock, or has ended. A runner of
/// version 0.1.0 holds none, and lives if its process does. This process cannot be that runner,
/// even if it has the same id.
fn is_of_a_run(name: &str) -> bool {
    if let Some(id) = name.strip_prefix(FORMER_PREFIX) {
        return id.parse() == Ok(process::id()) || !Path::new("/proc").join(id).exists();
    }
    name.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, process};

    use super::{create, remove_stale};

    #[test]
    fn what_ended_runs_left_is_removed_whatever_their_process_id() {
        let base = tempfile::tempdir().unwrap();
        let own_id = base.path().join(format!("longhold-{}", process::id()));
        let (old, lock) = create(base.path()).unwrap();
        let (living, _lock) = create(base.path()).unwrap();
        for folder in [&own_id, &old, &living] {
            fs::create_dir_all(folder.join("python-0")).unwrap();
        }
        drop(lock);
        remove_stale(base.path());
        assert!(!own_id.exists());
        assert!(!old.exists());
        assert!(living.join("python-0").exists());
    }

    #[test]
    fn each_run_has_a_name_of_its_own_and_links_are_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::create_dir(other.path().join("python-0")).unwrap();
        symlink(other.path(), base.path().join("longhold_link")).unwrap();
        let (one, _one) = create(base.path()).unwrap();
        let (two, _two) = create(base.path()).unwrap();
        assert_ne!(one, two);
        remove_stale(base.path());
        assert!(one.exists() && two.exists());
        assert!(other.path().join("python-0").exists());
    }
}
