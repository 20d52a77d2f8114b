//! `[functions.<name>]`: one function, checked and started.

use std::{error::Error, fmt::Write, time::Duration};

use daemon::settings::{Kind, Section, count, duration, text};
use functions::{Catalog, Environment, StartError};

use super::{environment, variables::Variables};
use crate::runtime::{Runtime, rust::RustRuntime};

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
    /// `max_instances`: invocations at once, 1 to 10000; the next one is answered with 432.
    /// Default 1000.
    pub max_instances: usize,
    /// `runtime`, with `handler` and `environment`, which are the runtime's affair.
    pub(crate) runtime: Runtime,
}

/// The words that `runtime` knows.
#[derive(Clone, Copy)]
enum Word {
    Rust,
    /// Planned: the word is right and the version is wrong.
    NotBuiltIn(&'static str),
}

pub(super) fn read_all(
    root: &mut Section,
    variables: &Variables,
    catalog: &Catalog,
) -> Vec<FunctionSettings> {
    let mut functions = Vec::new();
    for (name, mut section) in root.named_sections("functions") {
        if !is_name(&name) {
            let what = "is not a name for a function; use letters, digits, - and _, at most 60";
            root.problem(&format!("functions.{name}"), what);
        }
        functions.extend(FunctionSettings::read(name, &mut section, variables, catalog));
    }
    functions
}

impl FunctionSettings {
    fn read(
        name: String,
        section: &mut Section,
        variables: &Variables,
        catalog: &Catalog,
    ) -> Option<Self> {
        let timeout = section.read("timeout", &duration(SHORTEST..=LONGEST));
        let memory_mb = section.read("memory_mb", &count(64..=3072)).unwrap_or(128);
        let max_instances = section.read("max_instances", &count(1..=10_000)).unwrap_or(1000);
        let environment = environment::read(section, variables);
        Some(Self {
            name,
            timeout: timeout.unwrap_or(Duration::from_secs(3)),
            memory_mb: u32::try_from(memory_mb).expect("3072 fits"),
            max_instances: usize::try_from(max_instances).expect("10000 fits"),
            runtime: read_runtime(section, environment, catalog)?,
        })
    }
}

/// The runtime, ready. `None` when something is wrong, which is noted.
fn read_runtime(
    section: &mut Section,
    environment: Option<Environment>,
    catalog: &Catalog,
) -> Option<Runtime> {
    let word = section.require("runtime", &word());
    let code = section.read("code", &text());
    match word {
        Some(Word::Rust) => {
            if code.is_some() {
                section.problem("code", "has no use with runtime \"rust\"; remove it");
            }
            start_rust(section, environment, catalog).map(Runtime::Rust)
        }
        Some(Word::NotBuiltIn(word)) => {
            // Taken, so that it is not called unknown.
            section.read("handler", &text());
            let what = format!("runtime \"{word}\" is not built into this version: use \"rust\"");
            section.problem("runtime", what);
            None
        }
        None => {
            section.read("handler", &text());
            None
        }
    }
}

fn start_rust(
    section: &mut Section,
    environment: Option<Environment>,
    catalog: &Catalog,
) -> Option<RustRuntime> {
    let handler = section.require("handler", &text())?;
    let Some(start) = catalog.get(&handler) else {
        let names: Vec<_> = catalog.names().map(|name| format!("{name:?}")).collect();
        let what = format!("no function is called {handler:?}; use {}", names.join(" or "));
        section.problem("handler", what);
        return None;
    };
    match start(&environment?) {
        Ok(function) => Some(RustRuntime::new(handler, function)),
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
    Kind::new("\"rust\"", |value| match value.as_str()? {
        "rust" => Some(Word::Rust),
        "python3" => Some(Word::NotBuiltIn("python3")),
        "nodejs" => Some(Word::NotBuiltIn("nodejs")),
        "custom" => Some(Word::NotBuiltIn("custom")),
        _ => None,
    })
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
