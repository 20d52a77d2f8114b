//! The files with the contents. Each has a random name, is written once, and never changes.
//!
//! A file that is being written is in the folder `incoming`. A whole one is in its [`Place`], where
//! it stays while the catalog names it or somebody reads it.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use super::{
    file_name::FileName,
    object::{Content, Object},
    place::Place,
};

/// A part of a content: a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) file: FileName,
    pub(super) size: u64,
}

/// Bytes of a file that are read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) file: FileName,
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Piece {
    /// Up to `length_max` bytes of a content from `offset` on.
    pub(super) fn find(segments: &[Segment], offset: u64, length_max: usize) -> io::Result<Self> {
        let mut begin = 0;
        for Segment { file, size } in segments {
            if offset < begin + size {
                let offset = offset - begin;
                let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
                return Ok(Self { file: file.clone(), offset, length: left.min(length_max) });
            }
            begin += size;
        }
        Err(ErrorKind::UnexpectedEof.into())
    }
}

/// The files of a store. A handle.
#[derive(Debug, Clone)]
pub(super) struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    incoming: PathBuf,
    place: Place,
    pins: Mutex<HashMap<FileName, Pin>>,
}

/// The readers of a file.
#[derive(Debug, Default)]
struct Pin {
    readers: usize,
    /// Nothing names the file any more: the last reader removes it.
    is_doomed: bool,
}

impl Files {
    /// Files that are whole in `place`. Makes the folder for those that are being written, and
    /// removes what was being written when an earlier process ended.
    pub(super) fn open(folder: &Path, place: Place) -> io::Result<Self> {
        let inner = Inner { incoming: folder.join("incoming"), place, pins: Mutex::default() };
        fs::create_dir_all(&inner.incoming)?;
        for entry in fs::read_dir(&inner.incoming)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self(Arc::new(inner)))
    }

    pub(super) fn place(&self) -> &Place {
        &self.0.place
    }

    /// Where a file is while it is being written.
    pub(super) fn draft_path(&self, name: &FileName) -> PathBuf {
        self.0.incoming.join(name.as_str())
    }

    pub(super) fn begin(&self, name: &FileName) -> io::Result<File> {
        File::create_new(self.draft_path(name))
    }

    /// The content of an object, before any of it is copied.
    pub(super) fn empty_copy(&self, object: &Object) -> Content {
        let Object { size, crc, etag, .. } = object;
        Content::new(self.clone(), Vec::new(), [*size, *crc], etag.clone())
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<FileName, Pin>> {
        self.0.pins.lock().expect("nothing panics with the lock held")
    }

    /// Somebody reads the content.
    pub(super) fn pin(&self, segments: &[Segment]) {
        let mut pins = self.pins();
        for Segment { file, .. } in segments {
            pins.entry(file.clone()).or_default().readers += 1;
        }
    }

    /// The reader has ended.
    pub(super) fn unpin(&self, segments: &[Segment]) {
        let mut doomed = Vec::new();
        let mut pins = self.pins();
        for Segment { file, .. } in segments {
            let Some(pin) = pins.get_mut(file) else { continue };
            pin.readers -= 1;
            if pin.readers == 0
                && let Some((file, Pin { is_doomed: true, .. })) = pins.remove_entry(file)
            {
                doomed.push(file);
            }
        }
        drop(pins);
        self.remove(doomed);
    }

    /// Removes files that nothing names any more, those that are read when their readers have
    /// ended.
    pub(super) fn remove(&self, names: Vec<FileName>) {
        let mut pins = self.pins();
        let is_free = |name: &FileName| match pins.get_mut(name) {
            Some(pin) => {
                pin.is_doomed = true;
                false
            }
            None => true,
        };
        let free: Vec<_> = names.into_iter().filter(is_free).collect();
        drop(pins);
        self.0.place.remove(&free);
    }
}
