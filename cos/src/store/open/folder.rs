//! The folder of a store.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use tracing::warn;

/// What others may do with a folder.
const OTHERS: u32 = 0o077;

/// Others must not read the contents past the signatures.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & OTHERS != 0 {
            // It may be what somebody wants, such as a backup by another user of the group.
            warn!(
                "other users of this machine may look into {}, past all signatures: its mode is {:o}; \
                 use chmod 700 on it",
                folder.display(),
                mode & 0o7777
            );
        }
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(folder)
}
