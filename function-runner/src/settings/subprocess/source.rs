//! Finds the file of a handler, by the same rules as the bootstrap that will load it.

use std::path::Path;

use daemon::settings::Kind;

use super::code::CodeProblem;
use crate::settings::language::Language;

/// Modules that each interpreter of Python has loaded before it loads code of others, or finds
/// before it looks into folders.
const OF_PYTHON: [&str; 21] = [
    "__main__",
    "abc",
    "atexit",
    "builtins",
    "codecs",
    "encodings",
    "errno",
    "faulthandler",
    "gc",
    "io",
    "itertools",
    "marshal",
    "os",
    "posix",
    "posixpath",
    "pwd",
    "site",
    "stat",
    "sys",
    "time",
    "zipimport",
];

pub(super) fn dotted() -> Kind<String> {
    Kind::new("<file>.<function>, such as \"index.main_handler\"", |value| {
        let handler = value.as_str()?;
        let (file, function) = handler.rsplit_once('.')?;
        let is_sound = !file.is_empty() && !function.is_empty() && !file.starts_with(['/', '.']);
        (is_sound && !function.contains('/')).then(|| handler.to_owned())
    })
}

/// Looks for the file of the handler. The error is why it could not be loaded.
pub(super) fn find_source(
    language: Language,
    code: &Path,
    handler: &str,
) -> Result<(), CodeProblem> {
    let found = match (language, handler.rsplit_once('.')) {
        (Language::Python3, Some((file, _))) => python(code, file),
        (Language::Nodejs, Some((file, function))) => node(code, file, function),
        (Language::Python3 | Language::Nodejs, None) | (Language::Custom, _) => Ok(()),
    };
    found.map_err(|what| CodeProblem { key: "handler", what })
}

/// Dots and slashes are the same: both stand between the names of folders.
fn python(code: &Path, file: &str) -> Result<(), String> {
    let is_there = |name: &str| code.join(name).is_file();
    let module = file.replace('.', "/");
    if module.split('/').any(str::is_empty) {
        return Err(format!("{file:?} has an empty name; use <folder>/<file>.<function>"));
    }
    let top = module.split('/').next().unwrap_or(&module);
    if OF_PYTHON.contains(&top) {
        return Err(format!(
            "{} cannot be imported: Python itself has a module {top}, which comes before it; \
             rename the file or folder",
            code.join(file).display()
        ));
    }
    if !is_there(&format!("{module}.py")) && !is_there(&format!("{module}/__init__.py")) {
        return Err(match format!("{file}.py") {
            dotted if is_there(&dotted) => format!(
                "{} cannot be imported: a dot stands between the names of modules; rename the file \
                 or folder so that its name has none",
                code.join(dotted).display()
            ),
            _ => not_there(code, &format!("{module}.py")),
        });
    }
    let folders = module.match_indices('/').map(|(end, _)| &module[..end]);
    for folder in folders {
        let (hiding, package) = (format!("{folder}.py"), format!("{folder}/__init__.py"));
        if is_there(&hiding) && !is_there(&package) {
            return Err(format!(
                "{} hides the folder {folder}: rename one of them, or add the file {package}",
                code.join(hiding).display()
            ));
        }
    }
    Ok(())
}

/// A dot is a part of a name.
fn node(code: &Path, file: &str, function: &str) -> Result<(), String> {
    let endings = [".js", ".mjs", ".cjs"];
    let is_there =
        |name: &str| endings.iter().any(|ending| code.join(format!("{name}{ending}")).is_file());
    if is_there(file) {
        return Ok(());
    }
    let problem = not_there(code, &format!("{file}.js"));
    Err(match file.replace('.', "/") {
        folders if is_there(&folders) => format!("{problem}; use \"{folders}.{function}\""),
        _ => problem,
    })
}

fn not_there(code: &Path, name: &str) -> String {
    format!("{} is not there; name a file in the folder of the code", code.join(name).display())
}
