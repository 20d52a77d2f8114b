//! The `[journal]` table of `gateway.toml`.

use std::path::{Path, PathBuf};

use daemon::settings::{Section, one_of, path};

/// Where the cleanups that are owed are written down.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalSettings {
    /// `dir`: a folder that this gateway has for itself. Default `data/journal`, and as the roster
    /// of the chat from the working directory.
    pub dir: PathBuf,
    /// `sync`: what the journal survives. Default `process`.
    pub sync: JournalSync,
}

/// What the journal survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalSync {
    /// `off`: nothing. It is kept in memory.
    Off,
    /// `process`: the death of the process, at any instant.
    Process,
    /// `power`: the death of the machine too. Each connection waits for the disk then.
    Power,
}

const SYNC: [(&str, JournalSync); 3] =
    [("process", JournalSync::Process), ("power", JournalSync::Power), ("off", JournalSync::Off)];

impl JournalSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let dir = section.read("dir", &path(Path::new("")));
        Self {
            dir: dir.unwrap_or_else(|| PathBuf::from("data/journal")),
            sync: section.read("sync", &one_of(&SYNC)).unwrap_or(JournalSync::Process),
        }
    }
}
