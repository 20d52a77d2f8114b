//! A `/tmp`, a `/dev/shm` and a `/var/tmp` of its own for each instance: one file system in memory
//! with a size limit, in a mount namespace of the instance (`mount_namespaces(7)`).
//!
//! Nothing of it is on the machine's disk, and nothing has a name outside of the namespace. So
//! nobody can prepare or guess a path, and it is gone with the last process of the instance,
//! however the runner ends. If the code or the interpreter is in the machine's `/tmp`, it stays
//! visible at its path.

mod cgroup_mounts;
mod mounts;

use std::{io, path::Path, sync::OnceLock};

pub(super) use self::mounts::Mounts;
use super::{program::Program, trial};

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

/// The mounts of an instance of `program`, with room for `size_mb` in all folders together. `None`
/// if the settings do not want them, or the system does not allow them.
pub(super) fn mounts(program: &Program, size_mb: u32) -> io::Result<Option<Mounts>> {
    let Some(way) = way().filter(|_| program.private_tmp) else { return Ok(None) };
    if matches!(way, Way::AsUser) && program.user.is_some() {
        // Such a namespace has no other users.
        return Ok(None);
    }
    let needed = [program.executable.as_path(), &program.code];
    Mounts::new(way, &needed, &program.code, size_mb).map(Some)
}

/// Finds out once, with a child that only makes the mounts.
fn way() -> Option<Way> {
    static WAY: OnceLock<Option<Way>> = OnceLock::new();
    *WAY.get_or_init(|| [Way::Plain, Way::AsUser].into_iter().find(|way| works(*way)))
}

fn works(way: Way) -> bool {
    let mounts = Mounts::new(way, &[], Path::new("/"), 1);
    mounts.is_ok_and(|mounts| trial::succeeds(move || mounts.make()))
}
