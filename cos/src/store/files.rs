//! The files with the contents. Each has a random name, is written once, and never changes.
//!
//! A file that is being written is in the folder `incoming`. A whole one is in one of the folders
//! in `contents`, where it stays while the catalog names it or somebody reads it.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use tracing::warn;
use uuid::Uuid;

use super::object::{Content, Object};
use crate::settings::StoreSync;

/// The name of a file: 32 hexadecimal digits. Its folder is that of the first two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FileName(String);

/// A part of a content: a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) file: FileName,
    pub(super) size: u64,
}

/// The folder of a store. A handle.
#[derive(Debug, Clone)]
pub(super) struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    sync: StoreSync,
    pins: Mutex<HashMap<FileName, Pin>>,
}

/// The readers of a file.
#[derive(Debug, Default)]
struct Pin {
    readers: usize,
    /// Nothing names the file any more: the last reader removes it.
    is_doomed: bool,
}

impl FileName {
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    pub(super) fn of(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Files {
    /// Makes the folders that are missing, and removes what was being written when an earlier
    /// process ended.
    pub(super) fn open(folder: &Path, sync: StoreSync) -> io::Result<Self> {
        let inner = Inner { folder: folder.to_owned(), sync, pins: Mutex::default() };
        let files = Self(Arc::new(inner));
        fs::create_dir_all(files.incoming())?;
        for entry in fs::read_dir(files.incoming())? {
            fs::remove_file(entry?.path())?;
        }
        for folder in files.folders() {
            fs::create_dir_all(folder)?;
        }
        if sync == StoreSync::Power {
            sync_folder(&files.contents())?;
            sync_folder(folder)?;
        }
        Ok(files)
    }

    fn incoming(&self) -> PathBuf {
        self.0.folder.join("incoming")
    }

    fn contents(&self) -> PathBuf {
        self.0.folder.join("contents")
    }

    /// The folders of whole files.
    pub(super) fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let contents = self.contents();
        (0..=u8::MAX).map(move |first| contents.join(format!("{first:02x}")))
    }

    fn folder_of(&self, name: &FileName) -> PathBuf {
        self.contents().join(name.0.get(..2).unwrap_or_default())
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.folder_of(name).join(&name.0)
    }

    /// Where a file is while it is being written.
    pub(super) fn draft_path(&self, name: &FileName) -> PathBuf {
        self.incoming().join(&name.0)
    }

    pub(super) fn begin(&self, name: &FileName) -> io::Result<File> {
        File::create_new(self.draft_path(name))
    }

    /// The file has been written.
    pub(super) fn finish(&self, name: &FileName, file: &File) -> io::Result<()> {
        let is_synced = self.0.sync == StoreSync::Power;
        if is_synced {
            file.sync_all()?;
        }
        fs::rename(self.draft_path(name), self.path(name))?;
        if is_synced { sync_folder(&self.folder_of(name)) } else { Ok(()) }
    }

    /// The same content under new names. It takes no space where the file system has links.
    pub(super) fn copy(&self, object: &Object) -> io::Result<Content> {
        let Object { size, crc, etag, .. } = object;
        let mut content = Content::new(self.clone(), Vec::new(), [*size, *crc], etag.clone());
        for Segment { file, size } in &object.segments {
            let name = FileName::random();
            let (from, to) = (self.path(file), self.path(&name));
            if fs::hard_link(&from, &to).is_err() {
                let draft = self.draft_path(&name);
                let copied = fs::copy(&from, &draft).and_then(|_| File::open(&draft));
                let finished = copied.and_then(|copy| self.finish(&name, &copy));
                finished.inspect_err(|_| drop(fs::remove_file(&draft)))?;
            } else if self.0.sync == StoreSync::Power {
                sync_folder(&self.folder_of(&name))?;
            }
            content.segments.push(Segment { file: name, size: *size });
        }
        Ok(content)
    }

    /// Reads up to `length_max` bytes of a content from `offset` on.
    pub(super) fn read(
        &self,
        segments: &[Segment],
        offset: u64,
        length_max: usize,
    ) -> io::Result<Vec<u8>> {
        let mut begin = 0;
        for Segment { file, size } in segments {
            if offset < begin + size {
                let within = offset - begin;
                let left = usize::try_from(size - within).unwrap_or(usize::MAX);
                let mut bytes = vec![0; left.min(length_max)];
                File::open(self.path(file))?.read_exact_at(&mut bytes, within)?;
                return Ok(bytes);
            }
            begin += size;
        }
        Err(ErrorKind::UnexpectedEof.into())
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
        for name in names {
            if let Some(pin) = self.pins().get_mut(&name) {
                pin.is_doomed = true;
                continue;
            }
            match fs::remove_file(self.path(&name)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // The next start removes it.
                Err(error) => warn!(%error, "a file that is not needed could not be removed"),
            }
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
