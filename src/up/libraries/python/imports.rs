//! Has an interpreter read the imports of code. It knows its own modules, and its own grammar.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use crate::up::{
    interpreters::Interpreter,
    process::{Kept, passed_to_installers, run},
};

const SCRIPT: &str = include_str!("imports.py");
/// How long reading the code of some functions may take.
const LIMIT: Duration = Duration::from_secs(60);
const BYTES_MAX: usize = 4 << 20;
/// How many functions one process reads: their paths are in its arguments.
const AT_ONCE: usize = 50;

/// The code of a function.
#[derive(Debug, Serialize)]
pub(super) struct Request {
    pub(super) code: PathBuf,
    /// With dots or slashes between folders.
    pub(super) module: String,
    /// Folders that are searched before those of the interpreter.
    pub(super) libraries: Vec<PathBuf>,
}

/// A module that is neither the author's own nor Python's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Module {
    /// Without what stands behind a dot.
    pub(super) name: String,
    /// Where it is imported.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// Whether the code goes on without it.
    pub(super) is_optional: bool,
    pub(super) is_there: bool,
}

/// The modules for each request, in the order of names.
pub(super) async fn imports_of(
    interpreter: &Interpreter,
    requests: &[Request],
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Vec<Module>>, String> {
    let mut all = Vec::new();
    for requests in requests.chunks(AT_ONCE) {
        let argument = serde_json::to_string(requests)
            .map_err(|_| "a path is not UTF-8: rename the folder".to_owned())?;
        let mut command = Command::new(&interpreter.executable);
        // The folder of libraries in the home of this user is not there for functions.
        command.args(["-E", "-s", "-B", "-c", SCRIPT]).arg(argument);
        command.env_clear().env("LANG", "C.UTF-8").envs(passed_to_installers(variables));
        let python = interpreter.executable.display();
        let ended = run(command, Kept::Answer(BYTES_MAX), LIMIT).await;
        let ended = ended.map_err(|error| format!("{python} {error}"))?;
        let found: Vec<Vec<Module>> =
            serde_json::from_slice(&ended.output).map_err(|_| format!("{python} has failed"))?;
        all.extend(found);
    }
    Ok(all)
}
