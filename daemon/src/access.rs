//! What this process may do with files, and as whom.

use std::{fs::Metadata, io, os::unix::fs::PermissionsExt, path::Path};

use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{AccessFlags, Uid, User, faccessat},
};

/// The permission of everybody to read or to write, and of the group to write.
const OTHERS: u32 = 0o026;

/// The permissions of a file with a secret, if every user of this machine may use the secret, or
/// others than the owner may change it.
pub fn open_to_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.permissions().mode() & 0o7777;
    (metadata.is_file() && mode & OTHERS != 0).then_some(mode)
}

/// Whether this process may write the file at `path`, or may make and remove files in the folder at
/// `path`. Opens nothing.
pub fn may_write(path: &Path) -> io::Result<()> {
    let mut flags = AccessFlags::W_OK | AccessFlags::R_OK;
    if path.is_dir() {
        flags |= AccessFlags::X_OK;
    }
    Ok(faccessat(AT_FDCWD, path, flags, AtFlags::AT_EACCESS)?)
}

/// The user of this process, by name and number.
pub fn user() -> String {
    let id = Uid::effective();
    match User::from_uid(id) {
        Ok(Some(user)) => format!("{} ({id})", user.name),
        Ok(None) | Err(_) => format!("with the number {id}"),
    }
}
