//! The keys that only functions in child processes have.

use std::{path::PathBuf, time::Duration};

use daemon::settings::{Section, count, duration, flag, path, text};

use crate::settings::{language::Language, surroundings::Surroundings};

/// The keys that only functions in child processes have, as they are written.
#[derive(Debug)]
pub(in crate::settings) struct SubprocessKeys {
    pub(super) min_instances: usize,
    pub(super) idle_after: Duration,
    pub(super) init_timeout: Duration,
    pub(super) code: Option<PathBuf>,
    pub(super) interpreter: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) private_tmp: bool,
    pub(super) tmp_mb: u32,
    pub(super) role: Option<String>,
}

impl SubprocessKeys {
    /// The names of the keys, in the order in which they are read.
    pub(in crate::settings) const NAMES: [&str; 9] = [
        "min_instances",
        "idle_after",
        "init_timeout",
        "code",
        "interpreter",
        "user",
        "private_tmp",
        "tmp_mb",
        "role",
    ];

    /// `language` is that of the function, if it is known that it has one.
    pub(in crate::settings) fn read(
        section: &mut Section,
        language: Option<Language>,
        around: &Surroundings<'_>,
    ) -> Self {
        let path = path(around.folder);
        let seconds = Duration::from_secs;
        let (idle_after, init_timeout) =
            (duration(seconds(1)..=Duration::from_hours(24)), duration(seconds(3)..=seconds(300)));
        let required = "required, but not with runtime \"rust\"";
        let in_path = "python3 or node in the runner's PATH";
        Self {
            min_instances: section.read_or("min_instances", &count(0..=10_000), "0"),
            idle_after: section.read_or("idle_after", &idle_after, "10m"),
            init_timeout: section.read_or("init_timeout", &init_timeout, "60s"),
            code: match language {
                Some(_) => section.require("code", &path),
                None => section.read_derived("code", &path, required),
            },
            interpreter: section.read_derived("interpreter", &path, in_path),
            user: section.read_derived("user", &text(), "the runner's user"),
            private_tmp: section.read_or("private_tmp", &flag(), "true"),
            tmp_mb: section.read_or("tmp_mb", &count(1..=10_240), "512"),
            role: section.read("role", &text()),
        }
    }

    /// Notes the problems that show when the keys are seen together.
    pub(super) fn check(&self, section: &Section, language: Language, max_instances: usize) {
        let min_instances = self.min_instances;
        if min_instances > max_instances {
            let what =
                format!("{min_instances} is more than max_instances; use {max_instances} at most");
            section.problem("min_instances", what);
        }
        if self.interpreter.is_some() && language == Language::Custom {
            section.problem("interpreter", "has no use with runtime \"custom\"; remove it");
        }
    }
}
