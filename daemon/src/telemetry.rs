//! Logging to stderr. Stdout has only the ready line.

mod filter;
mod line_turns;
mod redaction;
mod rewriter;
mod terminal;

use std::io::{self, IsTerminal};

use strum::VariantArray;
use tracing_subscriber::EnvFilter;

use self::{
    filter::{EXAMPLES, problem_of_filter},
    rewriter::Rewriter,
    terminal::log_event_for_terminal,
};
pub use self::{
    line_turns::LineTurns,
    redaction::{Redaction, redact},
    terminal::for_terminal,
};
use crate::settings::{Kind, Section, one_of};

/// The parts of Longhold that log: its crates, and the log lines of functions. `longhold` logs as
/// `gateway.toml` says, with the parts of both.
pub const LOGGING: [&str; 9] = [
    "batch",
    "cos",
    "daemon",
    "function",
    "function_runner",
    "functions",
    "gateway",
    "longhold",
    "shared",
];

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
        let filter = Kind::new("a log filter", |value| value.as_str().map(str::to_owned));
        let kind = filter.such_as(EXAMPLES);
        let format = one_of(LogFormat::VARIANTS.iter().map(|format| (format.word(), *format)));
        let filter = section.read_or("filter", &kind, "info");
        if let Some(problem) = problem_of_filter(&filter, &LOGGING) {
            section.problem("filter", problem);
        }
        Self { filter, format: section.read_or("format", &format, "text") }
    }
}

/// The log is often written to a file, perhaps in a folder that is watched for changes. If the
/// watcher logged each change that it sees, each line of the log would cause another one.
fn filter_of(text: &str) -> EnvFilter {
    let filter = EnvFilter::new(text);
    if text.contains("notify") {
        return filter;
    }
    filter.add_directive("notify=warn".parse().expect("it is a directive"))
}

/// Starts logging for the whole process. Later calls change nothing.
pub fn start(settings: &LogSettings) {
    let filter = filter_of(&settings.filter);
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(io::stderr().is_terminal());
    // An error means that logging was already started. Then the first call decides.
    let _ = match settings.format {
        LogFormat::Text => {
            let stderr = || Rewriter::new(log_event_for_terminal, io::stderr());
            builder.with_writer(move || Rewriter::new(redact, stderr())).try_init()
        }
        LogFormat::Json => {
            let builder = builder.with_writer(|| Rewriter::new(redact, io::stderr()));
            builder.json().flatten_event(true).try_init()
        }
    };
}

#[cfg(test)]
mod tests {
    use super::filter_of;

    #[test]
    fn the_watcher_of_files_is_silent_unless_the_filter_names_it() {
        for (text, expected) in
            [("trace", "notify=warn,trace"), ("info,notify=trace", "notify=trace,info")]
        {
            assert_eq!(filter_of(text).to_string(), expected);
        }
    }
}
