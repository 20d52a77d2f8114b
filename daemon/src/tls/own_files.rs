//! Files in a folder of this process, for the user of this process.

use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use nix::unistd::Uid;

/// An error if the folder belongs to another user, who can replace what is in it.
pub(super) fn check_owner(folder: &Metadata) -> io::Result<()> {
    let (owner, own) = (folder.uid(), Uid::effective().as_raw());
    if owner != own {
        let problem = format!("it belongs to the user {owner}, and this process to {own}");
        return Err(io::Error::other(problem));
    }
    Ok(())
}

pub(super) fn permissions(folder: &Metadata) -> u32 {
    folder.mode() & 0o7777
}

/// Puts a file in the place of the one before, in one step.
pub(super) fn write(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    // The mode counts only for a file that is new.
    remove(&new)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
