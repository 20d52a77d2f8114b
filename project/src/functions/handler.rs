//! The file of a handler is there.

use std::path::Path;

use strsim::damerau_levenshtein;

use crate::{
    code::{candidates, files_of},
    context::{Context, Noted, Said},
    model::Runtime,
};

/// How many files are named in place of one that is not there.
const NAMED_MAX: usize = 5;

/// How much of a handler is compared with the names of files, in characters.
const COMPARED_MAX: usize = 64;

/// Modules that each interpreter of Python has before it looks into folders.
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

impl Context<'_> {
    /// The handler without `./`, if its file is there.
    pub(super) fn check_handler(
        &mut self,
        handler: Said,
        runtime: Runtime,
        code: &Path,
    ) -> Result<Said, Noted> {
        let text = handler.text.strip_prefix("./").unwrap_or(&handler.text).to_owned();
        let found = match text.rsplit_once('.') {
            Some((file, function))
                if !file.is_empty()
                    && !function.is_empty()
                    && !file.starts_with(['/', '.'])
                    && !function.contains('/') =>
            {
                self.find(&text, file, runtime, code)
            }
            _ => Err(format!(
                "the handler {text:?} is not <file>.<function>, such as index.main_handler"
            )),
        };
        match found {
            Ok(()) => Ok(Said { text, spot: handler.spot }),
            Err(what) => {
                self.notes.error(&handler.spot, what);
                Err(Noted)
            }
        }
    }

    fn find(&self, handler: &str, file: &str, runtime: Runtime, code: &Path) -> Result<(), String> {
        let candidates = candidates(runtime, file);
        let endings: &[&str] = match runtime {
            Runtime::Python => &["py"],
            Runtime::Node | Runtime::Custom => &["js", "mjs", "cjs", "ts"],
        };
        if runtime == Runtime::Python {
            check_module(handler, file)?;
        }
        let Some(wanted) = candidates.first() else { return Ok(()) };
        if candidates.iter().any(|name| code.join(name).is_file()) {
            return Ok(());
        }
        Err(format!(
            "the handler {handler} needs the file {}, which is not there; {}",
            self.shown(&code.join(wanted)),
            self.there(wanted, code, endings)
        ))
    }

    /// The file that a shim loads is there.
    pub(super) fn check_entry(&mut self, entry: &Said, code: &Path) -> Result<(), Noted> {
        if code.join(&entry.text).is_file() {
            return Ok(());
        }
        let what = format!(
            "entryFile is {}, which is not there; {}",
            self.shown(&code.join(&entry.text)),
            self.there(&entry.text, code, &["js", "cjs"])
        );
        self.notes.error(&entry.spot, what);
        Err(Noted)
    }

    /// The program of a custom runtime is there, and may be run.
    pub(super) fn check_bootstrap(&mut self, handler: &Said, code: &Path) -> Result<(), Noted> {
        let path = code.join("bootstrap");
        let shown = self.shown(&path);
        let what = match path.metadata() {
            Ok(metadata) if metadata.is_file() && is_executable(&metadata) => return Ok(()),
            Ok(metadata) if metadata.is_file() => {
                format!("{shown} may not be run; use chmod +x {shown}")
            }
            _ => format!(
                "a custom runtime needs the program {shown}, which is not there; build it, and put \
                 it into the folder of the code"
            ),
        };
        self.notes.error(&handler.spot, what);
        Err(Noted)
    }

    /// A path relative to the folder of the project.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.folder).unwrap_or(path).display().to_string()
    }

    /// The files of the language that are there, the most similar first.
    fn there(&self, wanted: &str, code: &Path, endings: &[&str]) -> String {
        let mut files: Vec<_> = files_of(code, endings)
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix(code).ok()?.to_str()?.to_owned()))
            .collect();
        let wanted: String = wanted.chars().take(COMPARED_MAX).collect();
        files.sort_by_cached_key(|file| (damerau_levenshtein(file, &wanted), file.clone()));
        let count = files.len();
        files.truncate(NAMED_MAX);
        let files: Vec<_> = files.iter().map(|file| self.shown(&code.join(file))).collect();
        let more = if count > NAMED_MAX {
            format!(" and {} more", count - NAMED_MAX)
        } else {
            String::new()
        };
        match files.len() {
            0 => format!("there is no file .{} in the folder", endings.join(", .")),
            1 => format!("there is {}", files[0]),
            _ => format!("there are {}{more}", files.join(", ")),
        }
    }
}

/// The parts of a module's name can be imported.
fn check_module(handler: &str, file: &str) -> Result<(), String> {
    let mut parts = file.split(['.', '/']);
    if parts.clone().any(str::is_empty) {
        return Err(format!(
            "the handler {handler:?} has an empty name; use <folder>/<file>.<function>"
        ));
    }
    match parts.next().filter(|top| OF_PYTHON.contains(top)) {
        Some(top) => Err(format!(
            "the handler {handler}: Python itself has a module {top}, which comes before it; rename \
             the file or folder"
        )),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}
