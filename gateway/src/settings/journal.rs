//! `[journal]`: where owed cleanups are written down.

use std::path::{Path, PathBuf};

use daemon::settings::{Section, one_of, path};
use strum::VariantArray;

/// The settings of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalSettings {
    /// `dir`: a folder that no other gateway uses. A relative path starts at the working
    /// directory, as that of the chat's roster.
    pub dir: PathBuf,
    /// `sync`: what the entries survive.
    pub sync: JournalSync,
}

/// What the entries of the journal survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum JournalSync {
    /// `process`: a crash of the process, at any instant.
    Process,
    /// `power`: a loss of power too. Each connect waits for the disk.
    Power,
    /// `off`: nothing. They are kept in memory.
    Off,
}

impl JournalSync {
    fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Power => "power",
            Self::Off => "off",
        }
    }
}

impl JournalSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        Self {
            dir: section.read_or("dir", &path(Path::new("")), "data/journal"),
            sync: section.read_or(
                "sync",
                &one_of(JournalSync::VARIANTS.iter().map(|sync| (sync.word(), *sync))),
                "process",
            ),
        }
    }
}
