//! A function that runs in child processes: what is run, and how many processes there are.

mod code;
mod executable;
mod interpreter;
mod keys;
mod source;

use std::{
    path::{PathBuf, absolute},
    time::Duration,
};

use daemon::settings::{Section, text};

pub(super) use self::keys::SubprocessKeys;
use self::{
    code::{CodeProblem, bootstrap, folder},
    interpreter::interpreter,
    source::{dotted, find_source},
};
pub(crate) use self::{executable::Flaw, interpreter::misfit};
use super::{
    cloud::Cloud, environment::EnvironmentTexts, language::Language, surroundings::Surroundings,
    user::User,
};

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
    pub(crate) environment: EnvironmentTexts,
    /// `user`: the account that the function runs as. None is that of the runner.
    pub(crate) user: Option<User>,
    /// `private_tmp`: whether each instance has a `/tmp` of its own, where the system allows that.
    pub(crate) private_tmp: bool,
    /// `tmp_mb`: the room in the private folders of an instance.
    pub(crate) tmp_mb: u32,
    /// `[cloud]`
    pub(crate) cloud: Cloud,
    /// `role`: with one it has a pair to sign requests with.
    pub(crate) role: Option<String>,
    /// The APIs that name the function, if the process is the gateway too.
    pub(crate) named_by: Vec<String>,
    /// `min_instances`: how many instances are kept without work.
    pub(crate) min_instances: usize,
    /// `idle_after`: how long an instance without work is kept.
    pub(crate) idle_after: Duration,
    /// `init_timeout`: how long an instance may take to start.
    pub(crate) init_timeout: Duration,
    /// The files of secrets of the whole document. No key of the function: an instance that started
    /// before a file was named could read it, so that it is replaced.
    pub(super) secret_files: Vec<PathBuf>,
    /// What is wrong with the code, which was good when these settings came into use. Nothing can
    /// be started with them.
    pub(crate) code_problem: Option<String>,
}

impl SubprocessSettings {
    /// Takes all keys that only functions in child processes have, and `handler`. `None` when
    /// something is wrong, which is noted.
    ///
    /// `known` are the settings of the same function that are in use, if there are some. When only
    /// the code is wrong, and everything else is as in them, they are the settings, with
    /// `code_problem`.
    pub(super) fn read(
        section: &mut Section,
        language: Language,
        max_instances: usize,
        environment: Option<EnvironmentTexts>,
        around: &Surroundings<'_>,
        known: Option<&Self>,
    ) -> Option<Self> {
        let keys = SubprocessKeys::read(section, Some(language), around);
        keys.check(section, language, max_instances);
        // Symbolic links stay: an interpreter finds its packages by the path that it is called by.
        let given = keys.interpreter.map(|path| absolute(&path).unwrap_or(path));
        let mut problems = Vec::new();
        let mut sound = |found: Result<PathBuf, CodeProblem>| {
            found.map_err(|problem| problems.push(problem)).ok()
        };
        let code = keys.code.as_deref().and_then(|named| sound(folder(named)));
        let handler = match language {
            Language::Python3 | Language::Nodejs => section.require("handler", &dotted()),
            Language::Custom => Some(section.read_or("handler", &text(), "bootstrap")),
        };
        let executable = match language {
            Language::Python3 | Language::Nodejs => {
                sound(interpreter(given.clone(), language, around))
            }
            Language::Custom => code.as_deref().and_then(|code| {
                let path = environment.as_ref().and_then(EnvironmentTexts::path);
                sound(bootstrap(code, path.as_deref().unwrap_or(PATH)))
            }),
        };
        if let (Some(code), Some(handler)) = (&code, &handler) {
            sound(find_source(language, code, handler).map(|()| code.clone()));
        }
        let user = keys.user.and_then(|name| User::find(section, &name));
        let (code, executable) = match known.filter(|_| !problems.is_empty()) {
            Some(known) => {
                (Some(known.code.clone()), given.or_else(|| Some(known.executable.clone())))
            }
            None => (code, executable),
        };
        let settings = || {
            Some(Self {
                language,
                executable: executable?,
                folder: keys.code?,
                code: code?,
                handler: handler?,
                environment: environment?,
                user,
                private_tmp: keys.private_tmp,
                tmp_mb: keys.tmp_mb,
                cloud: around.cloud.clone(),
                role: keys.role,
                named_by: Vec::new(),
                min_instances: keys.min_instances,
                idle_after: keys.idle_after,
                init_timeout: keys.init_timeout,
                secret_files: Vec::new(),
                code_problem: None,
            })
        };
        let settings = settings();
        if problems.is_empty() {
            return settings;
        }
        if let (Some(settings), Some(known)) = (settings, known)
            && settings.has_keys_of(known)
        {
            let problem = |problem: CodeProblem| format!("{}: {}", problem.key, problem.what);
            let problems: Vec<_> = problems.into_iter().map(problem).collect();
            return Some(Self { code_problem: Some(problems.join("; ")), ..settings });
        }
        for CodeProblem { key, what } in problems {
            section.problem(key, what);
        }
        None
    }

    /// Whether everything that the table of the function says is as in `known`.
    fn has_keys_of(&self, known: &Self) -> bool {
        // Not in the table: they are found out, or stand in other tables.
        let Self { cloud, named_by, secret_files, code_problem, .. } = known.clone();
        *known == Self { cloud, named_by, secret_files, code_problem, ..self.clone() }
    }
}
