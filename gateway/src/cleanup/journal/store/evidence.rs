//! What shows that the journal is whole: a count of its transactions, in the file and in the
//! marker.
//!
//! Transactions without debts and changes are not counted: the next start does their work again.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension};

use crate::cleanup::journal::{
    error::StoreError,
    marker::{Mark, Marker, Stage, boot},
};

/// The table has one row.
pub(super) const SCHEMA: &str = "
    create table if not exists journal (
        id integer primary key,
        identity integer not null,
        sequence integer not null,
        written integer not null
    );
    insert or ignore into journal select 1, random(), 0, count(*) from owed;
";

/// How long the disk may lack the marker with `journal.sync = "power"`, while one transaction
/// follows another. It has the transactions themselves.
const MARKER_DELAY: Duration = Duration::from_secs(1);

/// The row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) identity: i64,
    pub(super) sequence: i64,
    pub(super) written: i64,
}

/// The evidence of an open journal.
#[derive(Debug)]
pub(super) struct Evidence {
    marker: Marker,
    /// What the marker should claim.
    mark: Mark,
    last: Last,
    /// Whether the marker claims less, because it could not be written.
    is_behind: bool,
    /// When the marker was written first that the disk may not have. None if it need not have it.
    off_disk_since: Option<Instant>,
    places: Vec<Place>,
}

/// The largest numbers that were ever used.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: i64,
    written: i64,
}

/// A file, so that another one under its name is noticed.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    inode: (u64, u64),
}

impl State {
    /// None if the file has no such row.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        if !connection.table_exists(None, "journal")? {
            return Ok(None);
        }
        let text = "select identity, sequence, written from journal where id = 1";
        connection
            .query_row(text, [], |row| {
                Ok(Self { identity: row.get(0)?, sequence: row.get(1)?, written: row.get(2)? })
            })
            .optional()
    }
}

impl Evidence {
    /// `before` is what the marker has claimed until now. It claims what the file has from now on:
    /// `state` and so many debts. Later transactions have larger numbers than both.
    pub(super) fn new(
        marker: Marker,
        state: State,
        owed: i64,
        before: &Mark,
        files: &[&Path],
    ) -> io::Result<Self> {
        let State { identity, sequence, written } = state;
        let mark = Mark { identity, sequence, written, owed, boot: boot(), ..before.clone() };
        let last =
            Last { sequence: sequence.max(before.sequence), written: written.max(before.written) };
        let places = files.iter().map(|path| Place::of(path)).collect::<io::Result<_>>()?;
        Ok(Self { marker, mark, last, is_behind: false, off_disk_since: None, places })
    }

    /// Fails if a file is not where it was.
    pub(super) fn check_places(&self) -> Result<(), StoreError> {
        match self.places.iter().find(|place| !place.is_there()) {
            Some(place) => Err(StoreError::Gone(place.path.clone())),
            None => Ok(()),
        }
    }

    /// The files of the journal.
    pub(super) fn paths(&self) -> Vec<&Path> {
        self.places.iter().map(|place| &*place.path).collect()
    }

    /// Writes the marker that could not be written after the last transaction.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.is_behind {
            let written = self.marker.write(&self.mark);
            written.map_err(|error| StoreError::Marker { path: self.path(), error })?;
            self.is_behind = false;
        }
        Ok(())
    }

    /// Counts the transaction, which has so many new debts and erases so many.
    pub(super) fn seal(
        &self,
        transaction: &Connection,
        new: u64,
        erased: usize,
    ) -> rusqlite::Result<Mark> {
        let sequence = self.last.sequence.saturating_add(1);
        let written = self.last.written.saturating_add(signed(new));
        transaction
            .prepare_cached("update journal set sequence = ?1, written = ?2")?
            .execute([sequence, written])?;
        let owed = self.mark.owed.saturating_add(signed(new)).saturating_sub(signed(erased));
        Ok(Mark { stage: Stage::Begun, sequence, written, owed, ..self.mark.clone() })
    }

    /// Counts debts that a transaction without a number has erased. The marker claims them until
    /// the next one with a number.
    pub(super) fn count_erased(&mut self, erased: usize) {
        self.mark.owed = self.mark.owed.saturating_sub(signed(erased));
    }

    /// Writes the marker after its transaction.
    pub(super) fn write(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.last = Last { sequence: mark.sequence, written: mark.written };
        self.mark = mark;
        self.is_behind = true;
        let written = self.marker.write(&self.mark);
        written.map_err(|error| StoreError::Unmarked { path: self.path(), error })?;
        self.is_behind = false;
        if !self.mark.survives_power {
            return Ok(());
        }
        let since = *self.off_disk_since.get_or_insert_with(Instant::now);
        if since.elapsed() < MARKER_DELAY { Ok(()) } else { self.reach_disk() }
    }

    /// Waits until the disk has the marker, if it must have it.
    pub(super) fn reach_disk(&mut self) -> Result<(), StoreError> {
        if self.off_disk_since.is_some() {
            let synced = self.marker.sync();
            synced.map_err(|error| StoreError::Unmarked { path: self.path(), error })?;
            self.off_disk_since = None;
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.marker.path().to_owned()
    }

    /// Notes that the file was closed as it should be, and is on disk.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        self.mark.stage = Stage::Closed;
        let written = self.marker.write(&self.mark).and_then(|()| self.marker.sync());
        written.map_err(|error| StoreError::Unmarked { path: self.path(), error })
    }
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), inode: (metadata.dev(), metadata.ino()) })
    }

    fn is_there(&self) -> bool {
        Self::of(&self.path).is_ok_and(|now| now.inode == self.inode)
    }
}

/// How many debts there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("select count(*) from owed", [], |row| row.get(0))
}

fn signed(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
