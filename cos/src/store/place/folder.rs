//! Contents as files, in 256 folders by the first two digits of their names.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use tracing::warn;

use super::Groups;
use crate::{settings::StoreSync, store::file_name::FileName};

pub(super) const PIECE_BYTES: u64 = 128 << 10;

/// A folder with the contents.
#[derive(Debug)]
pub(in crate::store) struct Folder {
    contents: PathBuf,
    sync: StoreSync,
}

impl Folder {
    /// Makes the folders that are missing in `contents`.
    pub(in crate::store) fn open(contents: PathBuf, sync: StoreSync) -> io::Result<Self> {
        let place = Self { contents, sync };
        for first in firsts() {
            fs::create_dir_all(place.contents.join(first))?;
        }
        if sync == StoreSync::Power {
            sync_folder(&place.contents)?;
        }
        Ok(place)
    }

    /// Keeps what was written to `file`, which is at `draft`. Nothing is left at `draft` then.
    pub(in crate::store) fn put(
        &self,
        name: &FileName,
        draft: &Path,
        file: &File,
    ) -> io::Result<()> {
        if self.is_synced() {
            file.sync_all()?;
        }
        fs::rename(draft, self.path(name))?;
        if self.is_synced() { sync_folder(&self.folder_of(name)) } else { Ok(()) }
    }

    /// Keeps the content of `from` as `to` too, which takes no space where the file system has
    /// links. `draft` is a path for use meanwhile.
    pub(in crate::store) fn copy(
        &self,
        from: &FileName,
        to: &FileName,
        draft: &Path,
    ) -> io::Result<()> {
        let from = self.path(from);
        if fs::hard_link(&from, self.path(to)).is_ok() {
            return if self.is_synced() { sync_folder(&self.folder_of(to)) } else { Ok(()) };
        }
        let copied = fs::copy(from, draft).and_then(|_| File::open(draft));
        let kept = copied.and_then(|copy| self.put(to, draft, &copy));
        kept.inspect_err(|_| drop(fs::remove_file(draft)))
    }

    /// Fills `bytes` with what stands from `offset` on.
    pub(in crate::store) fn read(
        &self,
        name: &FileName,
        offset: u64,
        bytes: &mut [u8],
    ) -> io::Result<()> {
        File::open(self.path(name))?.read_exact_at(bytes, offset)
    }

    pub(super) fn remove(&self, names: &[FileName]) {
        for name in names {
            match fs::remove_file(self.path(name)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => warn!(%error, "a file that is not needed could not be removed"),
            }
        }
    }

    pub(super) fn groups(&self) -> io::Result<Groups<'_>> {
        Ok(Box::new(firsts().map(|first| {
            let entries = fs::read_dir(self.contents.join(&first))?;
            let name = |entry: io::Result<fs::DirEntry>| {
                Ok(entry?.file_name().to_string_lossy().into_owned())
            };
            Ok((first, entries.map(name).collect::<io::Result<_>>()?))
        })))
    }

    fn folder_of(&self, name: &FileName) -> PathBuf {
        self.contents.join(name.first())
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.folder_of(name).join(name.as_str())
    }

    fn is_synced(&self) -> bool {
        self.sync == StoreSync::Power
    }
}

fn firsts() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|first| format!("{first:02x}"))
}

pub(in crate::store) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
