//! What this process may do with files, and as whom.

use std::{
    fs::File,
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{AccessFlags, Uid, User, faccessat},
};

/// The permission of the group and of all others to write.
const WRITE_OF_OTHERS: u32 = 0o022;
/// The permission of all others to read.
const READ_OF_ALL: u32 = 0o004;

/// What is wrong with an open file of a secret, if every user of this machine may read it or others
/// than the owner may change it, and what would be right. Fits behind the path.
pub(crate) fn problem_of_secret_file(path: &Path, file: &File) -> io::Result<Option<String>> {
    let right = "use 600 or 640: chmod 600 PATH; in a volume of Kubernetes defaultMode: 0440, for a \
                 secret of Swarm mode: 0400";
    problem_of_mode(path, file, WRITE_OF_OTHERS | READ_OF_ALL, "read or change it", right)
}

/// The same for a file that everybody may read.
pub(crate) fn problem_of_public_file(path: &Path, file: &File) -> io::Result<Option<String>> {
    let right = "let only its owner write it: chmod 644 PATH";
    problem_of_mode(path, file, WRITE_OF_OTHERS, "change it", right)
}

fn problem_of_mode(
    path: &Path,
    file: &File,
    forbidden: u32,
    what_others_can: &str,
    right: &str,
) -> io::Result<Option<String>> {
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let problem = || {
        let right = right.replace("PATH", &path.display().to_string());
        format!(
            "has the permissions {mode:03o}, so that other users of this machine can {what_others_can}; \
             {right}"
        )
    };
    Ok((mode & forbidden != 0).then(problem))
}

/// What is wrong with the owner of an open file that only this process and root may change, and
/// what would be right. Fits behind the path.
pub(crate) fn problem_of_owner(path: &Path, file: &File) -> io::Result<Option<String>> {
    let owner = Uid::from_raw(file.metadata()?.uid());
    let problem = || {
        format!(
            "belongs to the user with the number {owner}, who can change it; let user {} own it, or \
             root: chown {} {}",
            user(),
            Uid::effective(),
            path.display()
        )
    };
    Ok((owner != Uid::effective() && !owner.is_root()).then(problem))
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
