//! A `/tmp`, a `/dev/shm` and a `/var/tmp` of its own for each instance: one file system in memory
//! with a size limit, in a mount namespace of the instance (`mount_namespaces(7)`).
//!
//! Nothing of it is on the machine's disk, and nothing has a name outside of the namespace. So
//! nobody can prepare or guess a path, and it is gone with the last process of the instance,
//! however the runner ends. If the code or the interpreter is in the machine's `/tmp`, it stays
//! visible at its path.
//!
//! The namespace is made also for an instance that shares the folders of the machine: the control
//! groups are read-only in it, and the files with secrets of the runner are hidden.

mod folders;
mod hidden;
mod kernel_mounts;
mod mounts;

use std::{io, path::Path, sync::OnceLock};

pub(super) use self::mounts::Mounts;
use self::{folders::Folders, hidden::Hidden};
use super::{program::Program, secrets::Secrets, trial};

/// How the runner can make a namespace.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As a privileged user.
    Plain,
    /// In a user namespace, with the same user.
    AsUser,
}

/// Whether this runner can give its instances folders of their own.
pub(super) fn is_possible() -> bool {
    way().is_some()
}

/// The mounts of an instance of `program`, with room for `size_mb` in all folders together if it
/// has its own. It sees the folder `kept` too. `None` if the system does not allow them, or nothing
/// is to be mounted.
pub(super) fn mounts(
    program: &Program,
    kept: Option<&Path>,
    size_mb: u32,
    has_cgroup: bool,
) -> io::Result<Option<Mounts>> {
    let Some(way) = way() else { return Ok(None) };
    let secrets = Secrets::now();
    let protects = has_cgroup || !secrets.is_empty();
    // A namespace that is made as a user has no other users.
    if matches!(way, Way::AsUser) && (program.user.is_some() || !program.private_tmp && !protects) {
        return Ok(None);
    }
    let needed: Vec<_> =
        [program.executable.as_path(), &program.code].into_iter().chain(kept).collect();
    let folders = program.private_tmp.then(|| Folders::new(&needed, size_mb)).transpose()?;
    Mounts::new(way, folders, Hidden::new(&secrets)?, &program.code).map(Some)
}

/// Finds out once, with a child that only makes the mounts.
fn way() -> Option<Way> {
    static WAY: OnceLock<Option<Way>> = OnceLock::new();
    *WAY.get_or_init(|| [Way::Plain, Way::AsUser].into_iter().find(|way| works(*way)))
}

fn works(way: Way) -> bool {
    let mounts = Folders::new(&[], 1)
        .and_then(|folders| Mounts::new(way, Some(folders), Hidden::default(), Path::new("/")));
    mounts.is_ok_and(|mounts| trial::succeeds(move || mounts.make()))
}
