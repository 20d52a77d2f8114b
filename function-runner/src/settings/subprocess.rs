//! A function that runs in child processes: what is run, and how many processes there are.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::settings::{Kind, Section, count, duration, flag, path, text};
use functions::Environment;

use super::{cloud::Cloud, language::Language, surroundings::Surroundings, user::User};

/// The PATH of functions, and that of a runner that has none.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The default of `handler`, in words.
pub(super) const HANDLER_DEFAULT: &str = "required, or bootstrap with runtime \"custom\"";

/// A function that runs in child processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubprocessSettings {
    /// `runtime`.
    pub(crate) language: Language,
    /// The interpreter, or the `bootstrap` in the folder of the code.
    pub(crate) executable: PathBuf,
    /// `code`: the folder of the code, as it is written there.
    pub(crate) folder: PathBuf,
    /// The same folder, absolute and without symbolic links.
    pub(crate) code: PathBuf,
    /// `handler`.
    pub(crate) handler: String,
    /// `environment`.
    pub(crate) environment: Environment,
    /// `user`: the account that the function runs as. None is that of the runner.
    pub(crate) user: Option<User>,
    /// `private_tmp`: whether each instance has a `/tmp` of its own, where the system allows that.
    pub(crate) private_tmp: bool,
    /// `[cloud]`
    pub(crate) cloud: Cloud,
    /// `min_instances`: how many instances are kept without work.
    pub(crate) min_instances: usize,
    /// `idle_after`: how long an instance without work is kept.
    pub(crate) idle_after: Duration,
    /// `init_timeout`: how long an instance may take to start.
    pub(crate) init_timeout: Duration,
}

impl SubprocessSettings {
    /// Takes all keys that only functions in child processes have, and `handler`. `None` when
    /// something is wrong, which is noted.
    pub(super) fn read(
        section: &mut Section,
        language: Language,
        max_instances: usize,
        environment: Option<Environment>,
        around: &Surroundings<'_>,
    ) -> Option<Self> {
        let keys = SubprocessKeys::read(section, around);
        keys.check(section, language, max_instances);
        let code = keys.code.as_ref().and_then(|named| folder(section, named));
        let handler = match language {
            Language::Python3 | Language::Nodejs => section.require("handler", &dotted()),
            Language::Custom => Some(section.read_or("handler", &text(), "bootstrap")),
        };
        let executable = match language {
            Language::Python3 => interpreter(section, keys.interpreter, "python3", around),
            Language::Nodejs => interpreter(section, keys.interpreter, "node", around),
            Language::Custom => code.as_deref().and_then(|code| bootstrap(section, code)),
        };
        let user = keys.user.and_then(|name| User::find(section, &name));
        let (folder, code, handler) = (keys.code?, code?, handler?);
        match language {
            Language::Python3 => find_source(section, &code, &handler, &[".py", "/__init__.py"])?,
            Language::Nodejs => find_source(section, &code, &handler, &[".js", ".mjs", ".cjs"])?,
            Language::Custom => {}
        }
        Some(Self {
            language,
            executable: executable?,
            folder,
            code,
            handler,
            environment: environment?,
            user,
            private_tmp: keys.private_tmp,
            cloud: around.cloud.clone(),
            min_instances: keys.min_instances,
            idle_after: keys.idle_after,
            init_timeout: keys.init_timeout,
        })
    }
}

/// The keys that only functions in child processes have, as they are written.
#[derive(Debug)]
pub(super) struct SubprocessKeys {
    min_instances: usize,
    idle_after: Duration,
    init_timeout: Duration,
    code: Option<PathBuf>,
    interpreter: Option<PathBuf>,
    user: Option<String>,
    private_tmp: bool,
}

impl SubprocessKeys {
    /// The names of the keys, in the order in which they are read.
    pub(super) const NAMES: [&str; 7] = [
        "min_instances",
        "idle_after",
        "init_timeout",
        "code",
        "interpreter",
        "user",
        "private_tmp",
    ];

    pub(super) fn read(section: &mut Section, around: &Surroundings<'_>) -> Self {
        let path = path(around.folder);
        let seconds = Duration::from_secs;
        let (idle_after, init_timeout) =
            (duration(seconds(1)..=Duration::from_hours(24)), duration(seconds(3)..=seconds(300)));
        let no_rust = "required, but not with runtime \"rust\"";
        let in_path = "python3 or node in the runner's PATH";
        Self {
            min_instances: section.read_or("min_instances", &count(0..=10_000), "0"),
            idle_after: section.read_or("idle_after", &idle_after, "10m"),
            init_timeout: section.read_or("init_timeout", &init_timeout, "60s"),
            code: section.read_derived("code", &path, no_rust),
            interpreter: section.read_derived("interpreter", &path, in_path),
            user: section.read_derived("user", &text(), "the runner's user"),
            private_tmp: section.read_or("private_tmp", &flag(), "true"),
        }
    }

    /// Notes the problems that show when the keys are seen together.
    fn check(&self, section: &Section, language: Language, max_instances: usize) {
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

/// The folder of the code, as an absolute path.
fn folder(section: &Section, code: &Path) -> Option<PathBuf> {
    let problem = match code.canonicalize() {
        Ok(folder) if folder.is_dir() => return Some(folder),
        Ok(_) => "is not a folder; name the one that the code is in".to_owned(),
        Err(error) => format!("cannot be opened: {error}; name the folder of the code"),
    };
    section.problem("code", format!("{} {problem}", code.display()));
    None
}

fn dotted() -> Kind<String> {
    Kind::new("<file>.<function>, such as \"index.main_handler\"", |value| {
        let handler = value.as_str()?;
        let (file, function) = handler.rsplit_once('.')?;
        let is_sound = !file.is_empty() && !function.is_empty() && !file.starts_with(['/', '.']);
        is_sound.then(|| handler.to_owned())
    })
}

/// Looks for the file of the handler. Some handlers have dots between folders.
fn find_source(section: &Section, code: &Path, handler: &str, endings: &[&str]) -> Option<()> {
    let (file, _) = handler.rsplit_once('.')?;
    let names = [file.to_owned(), file.replace('.', "/")];
    let is_there =
        |ending: &&str| names.iter().any(|name| code.join(format!("{name}{ending}")).is_file());
    if endings.iter().any(is_there) {
        return Some(());
    }
    let wanted = code.join(format!("{file}{}", endings[0]));
    let what = format!("{} is not there; name a file in the folder of the code", wanted.display());
    section.problem("handler", what);
    None
}

/// The interpreter that is `given` in the settings, or the one called `name` in the runner's PATH.
fn interpreter(
    section: &Section,
    given: Option<PathBuf>,
    name: &str,
    around: &Surroundings<'_>,
) -> Option<PathBuf> {
    if let Some(given) = given {
        // Symbolic links stay: an interpreter finds its packages by the path that it is called by.
        let given = std::path::absolute(&given).unwrap_or(given);
        if is_executable(&given) {
            return Some(given);
        }
        let what = format!("{} is not an executable file", given.display());
        section.problem("interpreter", format!("{what}; name one, or leave it out"));
        return None;
    }
    let folders = around.path.unwrap_or(PATH);
    let found =
        folders.split(':').map(|folder| Path::new(folder).join(name)).find(|p| is_executable(p));
    if found.is_none() {
        let what = format!("there is no {name} in the folders {folders}");
        section.problem("runtime", format!("{what}; install it, or set interpreter"));
    }
    found
}

fn bootstrap(section: &Section, code: &Path) -> Option<PathBuf> {
    let bootstrap = code.join("bootstrap");
    if is_executable(&bootstrap) {
        return Some(bootstrap);
    }
    let problem = if bootstrap.is_file() {
        "is not executable; run chmod +x on it"
    } else {
        "is not there; the runtime \"custom\" starts this file"
    };
    section.problem("code", format!("{} {problem}", bootstrap.display()));
    None
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
