//! `[functions.<name>]`: one function.

use std::{error::Error, time::Duration};

use daemon::settings::{Kind, Origins, Problem, Section, count, duration, one_of, problem_of_name};
use functions::{PushCredential, StartError};
use http::HeaderValue;
use strum::VariantArray;

use super::{
    cloud::OwnServers,
    environment::{self, EnvironmentTexts},
    language::Language,
    push::PushSettings,
    runtime::RuntimeSettings,
    rust::{RustSettings, with_causes},
    subprocess::SubprocessSettings,
    surroundings::Surroundings,
    variables::PUSH,
};

/// The shortest and the longest time that a function may be given (documented).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(900);

/// One function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSettings {
    /// `<name>`.
    pub name: String,
    /// `timeout`: how long an invocation may run.
    pub timeout: Duration,
    /// `memory_mb`: the memory of one instance. For a function in Rust this is no limit: it shares
    /// the memory of the runner, and is only told the number.
    pub memory_mb: u32,
    /// `max_instances`: how many invocations may run at once. The next one waits, or is answered
    /// with 432 if the function is in Rust.
    pub max_instances: usize,
    /// `push_to`, and the gateway.
    pub(crate) push: PushSettings,
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
        if let Some(problem) = problem_of_name(&name) {
            root.problem(&format!("functions.{name}"), not_a_name(&problem));
        }
        // TOML reads [functions.a.b] as a table b of the function a.
        let inner = section.take_tables_with("runtime");
        for inner in &inner {
            root.problem(&format!("functions.{name}.{inner}"), not_a_name("has a dot in it"));
        }
        if !inner.is_empty() && section.is_empty() {
            continue;
        }
        functions.extend(FunctionSettings::read(name, &mut section, around));
    }
    functions
}

fn not_a_name(problem: &str) -> String {
    format!("is not a name for a function: it {problem}; use letters, digits, - and _, at most 60")
}

impl FunctionSettings {
    fn read(name: String, section: &mut Section, around: &Surroundings<'_>) -> Option<Self> {
        let timeout = section.read_or("timeout", &duration(SHORTEST..=LONGEST), "3s");
        let memory_mb = section.read_or("memory_mb", &count(64..=3072), "128");
        let default = "1000 with runtime \"rust\", otherwise 10";
        let max_instances = section.read_derived("max_instances", &count(1..=10_000), default);
        let environment = environment::read(section, around.variables, around.folder);
        let push = PushSettings::read(section, around.variables);
        let word = section.require("runtime", &word());
        let is_subprocess = matches!(word, Some(RuntimeWord::Subprocess(_)));
        let max_instances = max_instances.unwrap_or(if is_subprocess { 10 } else { 1000 });
        let runtime = match word {
            Some(RuntimeWord::Rust) => {
                let push = around.variables.push().unwrap_or_default();
                let environment = environment.map(|texts| texts.with_push(push));
                let rust = RustSettings::read(section, environment, around.catalog);
                rust.map(|rust| RuntimeSettings::Rust(Box::new(rust)))
            }
            Some(RuntimeWord::Subprocess(language)) => {
                if environment.as_ref().is_some_and(EnvironmentTexts::has_push) {
                    push.check(section);
                }
                let known = around.known.get(&name).filter(|known| {
                    (known.timeout, known.memory_mb, known.max_instances, &known.push)
                        == (timeout, memory_mb, max_instances, &push)
                });
                let known = known.as_ref().and_then(Self::subprocess);
                SubprocessSettings::read(
                    section,
                    language,
                    max_instances,
                    environment,
                    around,
                    known,
                )
                .map(|settings| RuntimeSettings::Subprocess(Box::new(settings)))
            }
            None => {
                RuntimeSettings::skip(section, around);
                None
            }
        };
        Some(Self { name, timeout, memory_mb, max_instances, push, runtime: runtime? })
    }

    /// Fills in what a process knows that is the gateway too.
    pub(super) fn complete_cloud(
        &mut self,
        own: &OwnServers,
        apis_of: impl Fn(&str) -> Vec<String>,
    ) {
        if let RuntimeSettings::Subprocess(subprocess) = &mut self.runtime
            && subprocess.cloud.names.is_some()
        {
            subprocess.cloud.complete(own);
            subprocess.named_by = apis_of(&self.name);
        }
    }

    /// Whether the function runs as an account of its own.
    pub fn has_user(&self) -> bool {
        self.subprocess().is_some_and(|subprocess| subprocess.user.is_some())
    }

    /// What is wrong with the code of a function that is in use.
    pub(crate) fn code_problem(&self) -> Option<&str> {
        self.subprocess()?.code_problem.as_deref()
    }

    fn subprocess(&self) -> Option<&SubprocessSettings> {
        match &self.runtime {
            RuntimeSettings::Rust(_) => None,
            RuntimeSettings::Subprocess(subprocess) => Some(subprocess),
        }
    }

    /// How long an invocation may wait for an instance. Of child processes: for a permit, for a
    /// start, and for another instance if the start has failed.
    pub(crate) fn longest_wait(&self) -> Duration {
        match &self.runtime {
            RuntimeSettings::Rust(_) => Duration::ZERO,
            RuntimeSettings::Subprocess(subprocess) => 2 * self.timeout + subprocess.init_timeout,
        }
    }

    /// The problem that kept the function from starting. `origins` are those of the settings.
    pub(crate) fn start_problem(&self, error: &StartError, origins: &Origins) -> Problem {
        let key = format!("functions.{}.environment.{}", self.name, error.key());
        origins.problem(&key, with_causes(error))
    }

    /// What its pushes present to the gateway. `authorization` is that of the runner.
    pub(crate) fn push_credential(&self, authorization: HeaderValue) -> PushCredential {
        let PushSettings { gateway, apis } = &self.push;
        PushCredential::new(authorization, &self.name, apis.as_deref())
            .expect("names of functions and ids of APIs are visible ASCII")
            .for_gateway(gateway.clone())
    }

    /// The problem that there is no HTTP client for its pushes.
    pub(crate) fn client_problem(&self, error: &dyn Error, origins: &Origins) -> Problem {
        let what = format!(
            "needs an HTTP client for the pushes of function {}, which cannot be set up: {}",
            self.name,
            with_causes(error)
        );
        origins.problem(&format!("variables.{PUSH}"), what)
    }
}

fn word() -> Kind<RuntimeWord> {
    let languages = Language::VARIANTS.iter();
    let subprocess = languages.map(|word| (word.word(), RuntimeWord::Subprocess(*word)));
    one_of([("rust", RuntimeWord::Rust)].into_iter().chain(subprocess))
}
