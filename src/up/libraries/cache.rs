//! The folders of libraries, each named by what is in it. A folder gets its name when it is whole,
//! so that one that is half installed is never used.

use std::{
    fs, io,
    path::{Path, PathBuf, absolute},
};

use super::need::Need;

/// The ending of a folder that is being installed.
const UNFINISHED: &str = "part";
/// The ending of a folder in which the author may install by hand what could not be installed.
const BY_HAND: &str = "hand";

#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: absolute(folder).unwrap_or_else(|_| folder.to_owned()) }
    }

    /// Removes what was being installed when an earlier process ended.
    pub(super) fn forget_unfinished(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|ending| ending == UNFINISHED) {
                // What cannot be removed is not used either.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// The folder of the libraries, which is whole if it is there.
    pub(super) fn whole(&self, need: &Need) -> PathBuf {
        self.folder.join(&need.id)
    }

    pub(super) fn by_hand(&self, need: &Need) -> PathBuf {
        self.whole(need).with_extension(BY_HAND)
    }

    /// Makes a folder to install into, with the input of pip or npm in it.
    pub(super) fn begin(&self, need: &Need) -> io::Result<PathBuf> {
        let folder = self.whole(need).with_extension(UNFINISHED);
        remove(&folder)?;
        write_inputs(&folder, need)?;
        Ok(folder)
    }

    /// The folder that was begun is whole.
    pub(super) fn finish(&self, need: &Need, begun: &Path) -> io::Result<PathBuf> {
        let whole = self.whole(need);
        match fs::rename(begun, &whole) {
            // Somebody else has made it meanwhile.
            Err(_) if whole.is_dir() => remove(begun)?,
            renamed => renamed?,
        }
        // It may have been made for an earlier failure.
        remove(&self.by_hand(need))?;
        Ok(whole)
    }

    /// Makes the folder in which the author can install by hand, in place of the one that was
    /// begun.
    pub(super) fn give_up(&self, need: &Need, begun: &Path) -> io::Result<PathBuf> {
        remove(begun)?;
        let folder = self.by_hand(need);
        remove(&folder)?;
        write_inputs(&folder, need)?;
        Ok(folder)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_inputs(folder: &Path, need: &Need) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for input in &need.inputs {
        fs::write(folder.join(input.name), &input.content)?;
    }
    Ok(())
}
