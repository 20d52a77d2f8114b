//! What the author of a project is told about it.

use std::{
    fmt,
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
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// One thing that the author of a project should know. Shown as `serverless.yml:12: …`. It has no
/// value of an environment, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub severity: Severity,
    /// None if it is about the project as a whole.
    pub place: Option<Place>,
    /// What is wrong, and what would be right.
    pub text: String,
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

/// The notes that reading a project has made so far.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    pub(crate) fn add(&mut self, severity: Severity, spot: &Spot, text: impl Into<String>) {
        self.push(severity, Some(spot.into()), text.into());
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

    /// A note about the project as a whole.
    pub(crate) fn general(&mut self, severity: Severity, text: impl Into<String>) {
        self.push(severity, None, text.into());
    }

    /// A note is said once, also if a value is read at several places.
    fn push(&mut self, severity: Severity, place: Option<Place>, text: String) {
        let note = Note { severity, place, text };
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// All notes, in the order of files and lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Note> {
        self.0.sort_by(|one, other| one.place.cmp(&other.place));
        self.0
    }
}
