//! What this process may do with files, and as whom.

mod others;

use std::{io, path::Path};

use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{AccessFlags, Uid, User, faccessat},
};

pub(crate) use self::others::{
    Others, all_may_read, is_own, problem_of_own_folder, problem_of_public_file,
    problem_of_secret_file,
};

/// Whether this process may write the file at `path`, or may make and remove files in the folder at
/// `path`. Opens nothing.
pub fn may_write(path: &Path) -> io::Result<()> {
    let mut flags = AccessFlags::W_OK | AccessFlags::R_OK;
    if path.is_dir() {
        flags |= AccessFlags::X_OK;
    }
    Ok(faccessat(AT_FDCWD, path, flags, AtFlags::AT_EACCESS)?)
}

/// The user with this name, or with this number, which need not have a name.
pub(crate) fn find_user(name: &str) -> Option<Uid> {
    if let Ok(number) = name.parse() {
        return Some(Uid::from_raw(number));
    }
    User::from_name(name).ok().flatten().map(|user| user.uid)
}

/// The user of this process, by name and number.
pub fn user() -> String {
    let id = Uid::effective();
    match User::from_uid(id) {
        Ok(Some(user)) => format!("{} ({id})", user.name),
        Ok(None) | Err(_) => format!("with the number {id}"),
    }
}
