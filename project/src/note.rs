//! What the author of a project is told about it.

use std::{
    collections::HashSet,
    fmt::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// This part of the project cannot run.
    Error,
    /// It runs, and something is different from the cloud.
    Warning,
    /// Good to know.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Relative to the folder of the project.
    pub file: PathBuf,
    /// The first line is 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in printable(&self.file.to_string_lossy()) {
            f.write_char(letter)?;
        }
        write!(f, ":{}", self.line)
    }
}

/// One thing that the author of a project should know. Shown as `serverless.yml:12: …`. It has no
/// value of an environment, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    pub severity: Severity,
    /// None if it is about the project as a whole.
    pub place: Option<Place>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Note {
    /// Sorts notes by files and lines.
    pub fn sort(notes: &mut [Self]) {
        notes.sort_by(|one, other| {
            (&one.place, one.severity, &one.text).cmp(&(&other.place, other.severity, &other.text))
        });
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// A line of a file, while the project is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) file: Arc<Path>,
    pub(crate) line: usize,
}

impl From<&Spot> for Place {
    fn from(spot: &Spot) -> Self {
        Self { file: spot.file.to_path_buf(), line: spot.line }
    }
}

/// A text as a terminal may show it: control characters could change what stands around it.
pub(crate) fn printable(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
}

/// How long a note is. It may quote the document, whose texts may have a megabyte.
const CHARACTERS_MAX: usize = 1000;

/// How many notes are kept. A file of a megabyte can have a fault in each of its lines.
const NOTES_MAX: usize = 1000;

/// The notes that reading a project has made so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: HashSet<Note>,
    is_cut: bool,
}

impl Notes {
    pub(crate) fn add(&mut self, severity: Severity, spot: &Spot, text: impl Into<String>) {
        self.push(severity, Some(spot.into()), &text.into());
    }

    pub(crate) fn error(&mut self, spot: &Spot, text: impl Into<String>) {
        self.add(Severity::Error, spot, text);
    }

    pub(crate) fn warning(&mut self, spot: &Spot, text: impl Into<String>) {
        self.add(Severity::Warning, spot, text);
    }

    pub(crate) fn info(&mut self, spot: &Spot, text: impl Into<String>) {
        self.add(Severity::Info, spot, text);
    }

    pub(crate) fn at(&mut self, severity: Severity, place: Place, text: impl Into<String>) {
        self.push(severity, Some(place), &text.into());
    }

    /// A note about the project as a whole.
    pub(crate) fn general(&mut self, severity: Severity, text: impl Into<String>) {
        self.push(severity, None, &text.into());
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.is_cut || self.notes.iter().any(|note| note.severity == Severity::Error)
    }

    /// Whether further notes are not kept.
    pub(crate) fn is_full(&self) -> bool {
        self.is_cut
    }

    /// A note is said once, also if a value is read at several places.
    fn push(&mut self, severity: Severity, place: Option<Place>, text: &str) {
        if self.notes.len() < NOTES_MAX {
            let text = printable(text).take(CHARACTERS_MAX).collect();
            self.notes.insert(Note { severity, place, text });
        } else {
            self.is_cut = true;
        }
    }

    /// All notes, in the order of files and lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Note> {
        if self.is_cut {
            let text = format!("the project has more than {NOTES_MAX} faults: not all are listed");
            self.notes.insert(Note { severity: Severity::Error, place: None, text });
        }
        let mut notes: Vec<_> = self.notes.into_iter().collect();
        Note::sort(&mut notes);
        notes
    }
}
