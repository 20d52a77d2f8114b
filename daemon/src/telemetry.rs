//! Logging to stderr. Stdout has only the ready line.

use std::io::{self, IsTerminal};

use strum::VariantArray;
use tracing_subscriber::EnvFilter;

use crate::settings::{Kind, Section, one_of};

/// How the process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// `filter`: which events are logged, in the syntax of `tracing`'s `EnvFilter`.
    pub filter: String,
    /// `format`: how they are written.
    pub format: LogFormat,
}

/// How log events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl LogSettings {
    /// Reads the keys `filter` and `format`.
    pub fn read(section: &mut Section) -> Self {
        let filter = Kind::new("a log filter", |value| {
            let text = value.as_str()?;
            EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        });
        let filter = filter.such_as("\"info\" or \"info,gateway=debug\"");
        let format = one_of(LogFormat::VARIANTS.iter().map(|format| (format.word(), *format)));
        Self {
            filter: section.read_or("filter", &filter, "info"),
            format: section.read_or("format", &format, "text"),
        }
    }
}

/// Starts logging for the whole process. Later calls change nothing.
pub fn start(settings: &LogSettings) {
    let filter = EnvFilter::new(&settings.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // An error means that logging was already started. Then the first call decides.
    let _ = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
