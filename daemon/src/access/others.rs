//! What others than the user of this process may do with its files: what is safe is decided here.
//!
//! A problem says what is wrong and fits behind the path.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use nix::unistd::Uid;

use super::user;

/// The permission of the group and of all others to write.
const WRITE_OF_OTHERS: u32 = 0o022;
/// The permission of all others to read.
const READ_OF_ALL: u32 = 0o004;
/// Every permission of the group and of all others.
const ALL_OF_OTHERS: u32 = 0o077;

/// What others than its owner may do in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Not even see what is in it.
    DoNothing,
    /// Read, but neither add nor replace anything.
    Read,
}

/// What is wrong with an open file of a secret, if every user of this machine may read it, or
/// others than this process and root may change it, and what would be right.
pub(crate) fn problem_of_secret_file(path: &Path, file: &File) -> io::Result<Option<String>> {
    let right = "use 600 or 640: chmod 600 PATH; in a volume of Kubernetes defaultMode: 0440, for a \
                 secret of Swarm mode: 0400";
    let forbidden = WRITE_OF_OTHERS | READ_OF_ALL;
    match problem_of_mode(path, file, forbidden, "read or change it", right)? {
        None => problem_of_owner(path, file),
        problem => Ok(problem),
    }
}

/// The same for a file that everybody may read.
pub(crate) fn problem_of_public_file(path: &Path, file: &File) -> io::Result<Option<String>> {
    let right = "let only its owner write it: chmod 644 PATH";
    match problem_of_mode(path, file, WRITE_OF_OTHERS, "change it", right)? {
        None => problem_of_owner(path, file),
        problem => Ok(problem),
    }
}

fn problem_of_mode(
    path: &Path,
    file: &File,
    forbidden: u32,
    what_others_can: &str,
    right: &str,
) -> io::Result<Option<String>> {
    let mode = permissions(&file.metadata()?);
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
/// what would be right.
fn problem_of_owner(path: &Path, file: &File) -> io::Result<Option<String>> {
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

/// What is wrong with a folder in which this process keeps files: it belongs to another user, who
/// can replace what is in it, or others than its owner may do more than `others` says.
pub(crate) fn problem_of_own_folder(folder: &Metadata, others: Others) -> Option<String> {
    if !is_own(folder) {
        let (owner, own) = (folder.uid(), Uid::effective());
        return Some(format!("belongs to the user {owner}, and this process to {own}"));
    }
    let (forbidden, what_others_can) = match others {
        Others::DoNothing => (ALL_OF_OTHERS, "use it"),
        Others::Read => (WRITE_OF_OTHERS, "write to it"),
    };
    let mode = permissions(folder);
    let problem =
        || format!("has the permissions {mode:03o}, so that others may {what_others_can}");
    (mode & forbidden != 0).then(problem)
}

/// Whether a file or a folder belongs to the user of this process.
pub(crate) fn is_own(file: &Metadata) -> bool {
    file.uid() == Uid::effective().as_raw()
}

/// The permissions of the file at `path`, if every user of this machine may read it.
pub(crate) fn all_may_read(path: &Path) -> io::Result<Option<u32>> {
    let mode = permissions(&fs::metadata(path)?);
    Ok((mode & READ_OF_ALL != 0).then_some(mode))
}

fn permissions(file: &Metadata) -> u32 {
    file.mode() & 0o7777
}
