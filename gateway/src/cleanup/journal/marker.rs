//! The marker: a small file beside the journal's file that says how far the journal was.
//!
//! `SQLite` takes a lost end of its log for an end that was never written. So the marker is written
//! after each transaction. It never claims more than the journal has, wherever the process dies; a
//! journal that has less than its marker claims has lost its end.

use std::{
    fs::{self, File, OpenOptions, read_to_string},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// The length of the file. It is less than a sector, so that it is written as a whole.
const LENGTH: usize = 512;
/// The checksum at the end: eight digits and a line feed.
const CHECKSUM: usize = 9;
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the marker claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) stage: Stage,
    /// The version of the tables.
    pub(super) version: i64,
    /// The number of this journal, so that no other is taken for it.
    pub(super) identity: i64,
    /// The number of the last transaction with debts or changes.
    pub(super) sequence: i64,
    /// Debts that were ever written. Their keys are not in order over several transactions.
    pub(super) written: i64,
    /// Debts after that transaction.
    pub(super) owed: i64,
    /// Whether each transaction was on disk before the marker was written.
    pub(super) survives_power: bool,
    /// The start of the machine in which the marker was written. None if it could not be read.
    pub(super) boot: Option<String>,
}

/// How far the life of the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    /// Its tables are being made. It holds no debt that a gateway with a marker has written.
    Making,
    Begun,
    /// The process that had it open has closed it. Everything is on disk.
    Closed,
}

/// The marker's file, open for writing.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    file: File,
}

/// What a look at the marker has found.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Unreadable,
    Mark(Mark),
}

impl Mark {
    /// Whether the machine was started again since, and may have lost transactions that were not on
    /// disk yet.
    pub(super) fn may_lose_its_end(&self) -> bool {
        let boot = boot();
        !self.survives_power && self.boot.is_some() && boot.is_some() && self.boot != boot
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.resize(LENGTH - CHECKSUM, b' ');
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(format!("{checksum:08x}\n").bytes());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (claims, checksum) = bytes.split_at_checked(LENGTH - CHECKSUM)?;
        let expected = format!("{:08x}\n", crc32fast::hash(claims));
        (checksum == expected.as_bytes()).then(|| serde_json::from_slice(claims).ok())?
    }
}

impl Marker {
    /// What the marker at `path` claims.
    pub(super) fn read(path: &Path) -> io::Result<Found> {
        match fs::read(path) {
            Ok(bytes) => Ok(Mark::decode(&bytes).map_or(Found::Unreadable, Found::Mark)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Opens a marker that is there, and writes nothing: the disk may be full.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Makes a marker, or replaces the one that is there. A reader finds the old or the new one.
    pub(super) fn make(path: &Path, mark: &Mark) -> io::Result<Self> {
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all_at(&mark.encode()?, 0)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_folder_of(path)?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes what the journal has now.
    pub(super) fn write(&self, mark: &Mark) -> io::Result<()> {
        self.file.write_all_at(&mark.encode()?, 0)
    }

    /// Waits until what was written is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Waits until the names of the files in the folder are on disk.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The present start of the machine.
pub(super) fn boot() -> Option<String> {
    read_to_string(BOOT_ID).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark {
            stage: Stage::Begun,
            version: 2,
            identity: i64::MIN,
            sequence: i64::MAX,
            written: i64::MAX,
            owed: i64::MAX,
            survives_power: false,
            boot: boot(),
        }
    }

    #[test]
    fn any_wrong_byte_and_any_other_length_makes_it_unreadable() {
        let bytes = mark().encode().unwrap();
        assert_eq!((bytes.len(), Mark::decode(&bytes)), (LENGTH, Some(mark())));
        for position in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[position] ^= 1 << (position % 8);
            assert_eq!(Mark::decode(&wrong), None, "byte {position}");
            assert_eq!(Mark::decode(&bytes[..position]), None, "length {position}");
        }
        assert_eq!(Mark::decode(&[bytes.as_slice(), b"\n"].concat()), None);
    }

    #[test]
    fn only_a_restart_of_the_machine_excuses_a_lost_end() {
        let other = Some("another".to_owned());
        assert!(!mark().may_lose_its_end());
        assert!(!Mark { boot: None, ..mark() }.may_lose_its_end());
        assert!(Mark { boot: other.clone(), ..mark() }.may_lose_its_end());
        assert!(!Mark { boot: other, survives_power: true, ..mark() }.may_lose_its_end());
    }
}
