//! Which file a handler is in.

use crate::model::{Function, Runtime};

/// The files that `file` of a handler may stand for, from the folder of the code.
pub(crate) fn candidates(runtime: Runtime, file: &str) -> Vec<String> {
    match runtime {
        // Dots and slashes are the same: both stand between the names of folders.
        Runtime::Python => {
            let module = file.replace('.', "/");
            vec![format!("{module}.py"), format!("{module}/__init__.py")]
        }
        Runtime::Node => ["js", "mjs", "cjs"].map(|ending| format!("{file}.{ending}")).to_vec(),
        Runtime::Custom => Vec::new(),
    }
}

/// The files that the handler of a function may be in.
pub(crate) fn handler_files(function: &Function) -> Vec<String> {
    if let Some(entry) = &function.entry {
        return vec![entry.clone()];
    }
    let file = function.handler.rsplit_once('.').map_or("", |(file, _)| file);
    candidates(function.runtime, file)
}
