//! `[functions.<name>]`: one function, checked and started.

use std::{error::Error, fmt::Write, time::Duration};

use daemon::settings::{Kind, Section, count, duration, one_of, text};
use functions::{Environment, StartError};

use super::{environment, subprocess, surroundings::Surroundings};
use crate::runtime::{
    RuntimeSettings,
    rust::RustRuntime,
    subprocess::{Language, Limits},
};

/// The shortest and the longest time that a function may be given (documented).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(900);
const NAME_BYTES_MAX: usize = 60;

/// One function, started.
#[derive(Debug)]
pub struct FunctionSettings {
    /// `<name>`: letters, digits, `-` and `_`, at most 60.
    pub name: String,
    /// `timeout`: how long an invocation may run. 1s to 900s, default 3s.
    pub timeout: Duration,
    /// `memory_mb`: what one instance may use. 64 to 3072, default 128. A function in Rust is
    /// only told: it shares the memory of the runner.
    pub memory_mb: u32,
    /// `max_instances`: invocations at once, 1 to 10000. Default 1000 for a function in Rust,
    /// where the next one is answered with 432; 10 for the others, where some may wait.
    pub max_instances: usize,
    /// `runtime`, with `handler` and `environment`, which are the runtime's affair.
    pub(crate) runtime: RuntimeSettings,
}

/// The words that `runtime` knows.
#[derive(Clone, Copy)]
enum Word {
    Rust,
    Subprocess(Language),
}

pub(super) fn read_all(root: &mut Section, around: &Surroundings<'_>) -> Vec<FunctionSettings> {
    let mut functions = Vec::new();
    for (name, mut section) in root.named_sections("functions") {
        if !is_name(&name) {
            let what = "is not a name for a function; use letters, digits, - and _, at most 60";
            root.problem(&format!("functions.{name}"), what);
        }
        functions.extend(FunctionSettings::read(name, &mut section, around));
    }
    functions
}

impl FunctionSettings {
    fn read(name: String, section: &mut Section, around: &Surroundings<'_>) -> Option<Self> {
        let timeout = section.read("timeout", &duration(SHORTEST..=LONGEST));
        let memory_mb = section.read("memory_mb", &count(64..=3072)).unwrap_or(128);
        let max_instances = section.read("max_instances", &instances(1));
        let environment = environment::read(section, around.variables);
        let word = section.require("runtime", &word());
        let default = if matches!(word, Some(Word::Subprocess(_))) { 10 } else { 1000 };
        let (timeout, max_instances) =
            (timeout.unwrap_or(Duration::from_secs(3)), max_instances.unwrap_or(default));
        let memory_mb = u32::try_from(memory_mb).expect("3072 fits");
        let runtime = match word {
            Some(Word::Rust) => {
                refuse_settings_of_subprocesses(section);
                start_rust(section, environment, max_instances, around).map(RuntimeSettings::Rust)
            }
            Some(Word::Subprocess(language)) => {
                let function_name = name.clone();
                let limits = read_limits(section, function_name, timeout, memory_mb, max_instances);
                let program = subprocess::read(section, language, environment, around);
                program.map(|program| RuntimeSettings::Subprocess(Box::new(program), limits))
            }
            None => {
                // Taken, so that nobody calls them unknown.
                for key in ["handler"].into_iter().chain(OF_SUBPROCESSES) {
                    section.read(key, &Kind::new("anything", |_| Some(())));
                }
                None
            }
        };
        Some(Self { name, timeout, memory_mb, max_instances, runtime: runtime? })
    }
}

/// What only functions in child processes have, in the order in which it is asked for.
const OF_SUBPROCESSES: [&str; 7] =
    ["min_instances", "idle_after", "init_timeout", "code", "interpreter", "user", "private_tmp"];

fn refuse_settings_of_subprocesses(section: &mut Section) {
    for key in OF_SUBPROCESSES {
        if section.read(key, &Kind::new("anything", |_| Some(()))).is_some() {
            section.problem(key, "has no use with runtime \"rust\"; remove it");
        }
    }
}

fn read_limits(
    section: &mut Section,
    function_name: String,
    timeout: Duration,
    memory_mb: u32,
    max_instances: usize,
) -> Limits {
    let min_instances = section.read("min_instances", &instances(0)).unwrap_or(0);
    if min_instances > max_instances {
        let what =
            format!("{min_instances} is more than max_instances; use {max_instances} at most");
        section.problem("min_instances", what);
    }
    let idle_after = section
        .read("idle_after", &duration(Duration::from_secs(1)..=Duration::from_hours(24)))
        .unwrap_or(Duration::from_mins(10));
    let init_timeout = section
        .read("init_timeout", &duration(Duration::from_secs(3)..=Duration::from_secs(300)))
        .unwrap_or(Duration::from_secs(60));
    Limits {
        function_name,
        timeout,
        memory_mb,
        max_instances,
        min_instances,
        idle_after,
        init_timeout,
    }
}

fn instances(min: u64) -> Kind<usize> {
    let range = min..=10_000;
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Kind::new(expected, move |value| {
        let count =
            u64::try_from(value.as_integer()?).ok().filter(|count| range.contains(count))?;
        usize::try_from(count).ok()
    })
}

fn start_rust(
    section: &mut Section,
    environment: Option<Environment>,
    max_instances: usize,
    around: &Surroundings<'_>,
) -> Option<RustRuntime> {
    let handler = section.require("handler", &text())?;
    let Some(start) = around.catalog.get(&handler) else {
        let names: Vec<_> = around.catalog.names().map(|name| format!("{name:?}")).collect();
        let what = format!("no function is called {handler:?}; use {}", names.join(" or "));
        section.problem("handler", what);
        return None;
    };
    let environment = environment?;
    match start(&environment) {
        Ok(function) => Some(RustRuntime::new(handler, environment, function, max_instances)),
        Err(error) => {
            section.problem(&format!("environment.{}", error.key()), with_causes(&error));
            None
        }
    }
}

fn with_causes(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn word() -> Kind<Word> {
    one_of(&[
        ("rust", Word::Rust),
        ("python3", Word::Subprocess(Language::Python3)),
        ("nodejs", Word::Subprocess(Language::Nodejs)),
        ("custom", Word::Subprocess(Language::Custom)),
    ])
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
