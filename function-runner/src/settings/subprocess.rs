//! A function that runs in child processes: what is run, and how many processes there are.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::settings::{Kind, Section, duration, flag, path, text};
use functions::Environment;

use super::{cloud::Cloud, language::Language, surroundings::Surroundings, user::User};

/// The PATH of functions, and that of a runner that has none.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The keys that only functions in child processes have, in the order in which they are read.
pub(super) const KEYS: [&str; 7] =
    ["min_instances", "idle_after", "init_timeout", "code", "interpreter", "user", "private_tmp"];

/// A function that runs in child processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubprocessSettings {
    /// `runtime`.
    pub(crate) language: Language,
    /// `interpreter`, or the `bootstrap` of the code. Default: the one in the runner's PATH.
    pub(crate) executable: PathBuf,
    /// `code`: the folder of the code, as it is written there.
    pub(crate) folder: PathBuf,
    /// The same folder, absolute and without symbolic links.
    pub(crate) code: PathBuf,
    /// `handler`. Default `bootstrap` with runtime `custom`.
    pub(crate) handler: String,
    /// `environment`.
    pub(crate) environment: Environment,
    /// `user`: the account that the function runs as. Default: that of the runner.
    pub(crate) user: Option<User>,
    /// `private_tmp`: whether each instance has a `/tmp` of its own, where the system allows that.
    /// Default true.
    pub(crate) private_tmp: bool,
    /// `[cloud]`
    pub(crate) cloud: Cloud,
    /// `min_instances`: instances that are kept without work, 0 to `max_instances`. Default 0.
    pub(crate) min_instances: usize,
    /// `idle_after`: how long an instance without work is kept. 1s to 24h, default 10m.
    pub(crate) idle_after: Duration,
    /// `init_timeout`: how long an instance may take to start. 3s to 300s, default 60s.
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
        let named = section.require("code", &path(around.folder));
        let code = named.as_ref().and_then(|named| folder(section, named));
        let handler = match language {
            Language::Python3 | Language::Nodejs => section.require("handler", &dotted()),
            Language::Custom => {
                Some(section.read("handler", &text()).unwrap_or_else(|| "bootstrap".to_owned()))
            }
        };
        let executable = match language {
            Language::Python3 => interpreter(section, "python3", around),
            Language::Nodejs => interpreter(section, "node", around),
            Language::Custom => code.as_deref().and_then(|code| bootstrap(section, code)),
        };
        let user = User::read(section);
        let private_tmp = section.read("private_tmp", &flag()).unwrap_or(true);
        let (folder, code, handler) = (named?, code?, handler?);
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
            private_tmp,
            cloud: around.cloud.clone(),
            min_instances,
            idle_after,
            init_timeout,
        })
    }
}

/// A number of instances, from `min` on.
pub(super) fn instances(min: u64) -> Kind<usize> {
    let range = min..=10_000;
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Kind::new(expected, move |value| {
        let count =
            u64::try_from(value.as_integer()?).ok().filter(|count| range.contains(count))?;
        usize::try_from(count).ok()
    })
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

/// Looks for the file of the handler, which some write with dots between folders.
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

/// The `interpreter` of the settings, or the one called `name` in the runner's own PATH.
fn interpreter(section: &mut Section, name: &str, around: &Surroundings<'_>) -> Option<PathBuf> {
    if let Some(given) = section.read("interpreter", &path(around.folder)) {
        // Not resolved: an interpreter knows by its name where its packages are.
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
