//! `[functions.<name>]`: one function.

use std::time::Duration;

use daemon::settings::{Kind, Origins, Problem, Section, count, duration, one_of};
use functions::StartError;

use super::{
    environment,
    language::Language,
    runtime::RuntimeSettings,
    rust::{RustSettings, with_causes},
    subprocess::{SubprocessSettings, instances},
    surroundings::Surroundings,
};

/// The shortest and the longest time that a function may be given (documented).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(900);
const NAME_BYTES_MAX: usize = 60;

/// One function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSettings {
    /// `<name>`: letters, digits, `-` and `_`, at most 60.
    pub name: String,
    /// `timeout`: how long an invocation may run. 1s to 900s, default 3s.
    pub timeout: Duration,
    /// `memory_mb`: the memory of one instance. 64 to 3072, default 128. No limit for a function
    /// in Rust, which shares the memory of the runner: it is only told the number.
    pub memory_mb: u32,
    /// `max_instances`: invocations at once, 1 to 10000. Default 1000 for a function in Rust,
    /// where the next invocation is answered with 432; 10 for the others, where some may wait.
    pub max_instances: usize,
    /// `runtime`, and all keys whose meaning depends on it.
    pub(crate) runtime: RuntimeSettings,
}

/// The words that `runtime` knows.
#[derive(Clone, Copy)]
enum RuntimeWord {
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
        let default = if matches!(word, Some(RuntimeWord::Subprocess(_))) { 10 } else { 1000 };
        let max_instances = max_instances.unwrap_or(default);
        let runtime = match word {
            Some(RuntimeWord::Rust) => {
                RustSettings::read(section, environment, around.catalog).map(RuntimeSettings::Rust)
            }
            Some(RuntimeWord::Subprocess(language)) => {
                SubprocessSettings::read(section, language, max_instances, environment, around)
                    .map(|settings| RuntimeSettings::Subprocess(Box::new(settings)))
            }
            None => {
                RuntimeSettings::skip(section);
                None
            }
        };
        Some(Self {
            name,
            timeout: timeout.unwrap_or(Duration::from_secs(3)),
            memory_mb: u32::try_from(memory_mb).expect("3072 fits"),
            max_instances,
            runtime: runtime?,
        })
    }

    /// The problem that kept the function from starting. `origins` are those of the settings.
    pub(crate) fn start_problem(&self, error: &StartError, origins: &Origins) -> Problem {
        let key = format!("functions.{}.environment.{}", self.name, error.key());
        origins.problem(&key, with_causes(error))
    }
}

fn word() -> Kind<RuntimeWord> {
    one_of(&[
        ("rust", RuntimeWord::Rust),
        ("python3", RuntimeWord::Subprocess(Language::Python3)),
        ("nodejs", RuntimeWord::Subprocess(Language::Nodejs)),
        ("custom", RuntimeWord::Subprocess(Language::Custom)),
    ])
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
