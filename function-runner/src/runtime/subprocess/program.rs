//! The command of an instance: the interpreter or the user's own `bootstrap`, and its environment.
//!
//! The environment of the runner is not passed on.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::Uid;
use serde_json::Value;

use super::{
    api::RuntimeApi,
    child_cloud::{self, ChildCloud},
    limits::Limits,
};
use crate::settings::{
    Cloud, EnvironmentTexts, Flaw, Language, PATH, SubprocessSettings, User, misfit,
};

/// The names come first: the bootstrap uses them.
const PYTHON: &str = concat!(
    include_str!("../../../runtimes/names.py"),
    include_str!("../../../runtimes/bootstrap.py")
);
/// What describes errors comes first: the rest of the text uses it.
const NODE: &str = concat!(
    include_str!("../../../runtimes/errors.cjs"),
    include_str!("../../../runtimes/names.cjs"),
    include_str!("../../../runtimes/bootstrap.cjs")
);
/// A program of Python that runs the text of its last argument. It refuses versions that cannot
/// read that text.
const PYTHON_LAUNCH: &str = include_str!("../../../runtimes/launch.py");
/// A function of JavaScript that runs the text of a bootstrap.
const NODE_LAUNCH: &str = include_str!("../../../runtimes/launch.js");
/// The bootstraps take this out of their environment, so that no program of the function inherits
/// it.
const SECRET: &str = "LONGHOLD_SECRET";

/// From Python 3.13 on, the interpreter imports modules before it runs our bootstrap, and would
/// take those in the working folder. The bootstrap takes this out of its environment.
const SAFE_PATH: &str = "longhold";

/// The code of a function, and what runs it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) language: Language,
    /// The interpreter, or the `bootstrap`.
    pub(crate) executable: PathBuf,
    /// The folder of the code, as the settings name it.
    pub(crate) folder: PathBuf,
    /// The same folder, absolute and without symbolic links.
    pub(crate) code: PathBuf,
    pub(crate) handler: String,
    pub(crate) environment: EnvironmentTexts,
    /// The account that it runs as. None is that of the runner.
    pub(crate) user: Option<User>,
    /// Whether each instance has a `/tmp` of its own, where the system allows that.
    pub(crate) private_tmp: bool,
    pub(crate) cloud: Cloud,
}

/// The word for `language` in the cloud.
fn cloud_word(language: Language) -> &'static str {
    match language {
        Language::Python3 => "Python3",
        Language::Nodejs => "Nodejs",
        Language::Custom => "CustomRuntime",
    }
}

impl From<&SubprocessSettings> for Program {
    fn from(settings: &SubprocessSettings) -> Self {
        let settings = settings.clone();
        Self {
            language: settings.language,
            executable: settings.executable,
            folder: settings.folder,
            code: settings.code,
            handler: settings.handler,
            environment: settings.environment,
            user: settings.user,
            private_tmp: settings.private_tmp,
            cloud: settings.cloud,
        }
    }
}

impl Program {
    /// The command of a child process whose runtime API is `api`.
    pub(super) fn command(&self, limits: &Limits, api: &RuntimeApi, cloud: &ChildCloud) -> Command {
        let mut command = Command::new(&self.executable);
        match self.language {
            // No bytecode files: the folder of the user is not written to.
            Language::Python3 => command.args(["-B", "-c", PYTHON_LAUNCH, PYTHON]),
            Language::Nodejs => {
                // Node collects garbage late if it does not know its limit.
                let heap_mb = limits.memory_mb * 3 / 4;
                let launch = format!("({})({})", NODE_LAUNCH.trim_end(), Value::from(NODE));
                command.arg(format!("--max-old-space-size={heap_mb}")).args(["-e", &launch])
            }
            Language::Custom => &mut command,
        };
        command.current_dir(&self.code).env_clear();
        // These are defaults, which the user can override. All keys below override the user.
        command.env("PATH", self.path()).env("HOME", "/tmp").env("LANG", "C.UTF-8");
        if self.language == Language::Python3 {
            command.env("PYTHONSAFEPATH", SAFE_PATH);
        }
        cloud.set_defaults(&mut command, self.language, &self.environment, api);
        command.envs(self.environment.with_push(&api.push_url).iter());
        self.documented(&mut command, limits, api.port);
        if self.has_our_bootstrap() {
            child_cloud::set_names(&mut command, api);
        }
        // Only processes of the same user, and root, can read the environment of a process.
        command.envs(api.secret.as_ref().map(|secret| (SECRET, secret.reveal())));
        command
    }

    fn documented(&self, command: &mut Command, limits: &Limits, port: u16) {
        let port = port.to_string();
        command
            .env("SCF_RUNTIME", cloud_word(self.language))
            .env("SCF_FUNCTIONNAME", &limits.function_name)
            .env("SCF_FUNCTIONVERSION", "$LATEST")
            .env("SCF_RUNTIME_API", "127.0.0.1")
            .env("SCF_RUNTIME_API_PORT", &port)
            .env("_HANDLER", &self.handler)
            .env("USER_CODE_ROOT", &self.code)
            .env("TENCENTCLOUD_RUNENV", "SCF")
            .env("TENCENTCLOUD_REGION", &self.cloud.region)
            .env("TENCENTCLOUD_APPID", &self.cloud.appid)
            .env("TENCENTCLOUD_UIN", &self.cloud.uin);
        if self.language == Language::Custom {
            // For clients of the runtime API of AWS Lambda.
            command
                .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{port}"))
                .env("AWS_LAMBDA_FUNCTION_NAME", &limits.function_name)
                .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", limits.memory_mb.to_string())
                .env("LAMBDA_TASK_ROOT", &self.code);
        }
    }

    /// Whether a program of ours loads the code and asks for events.
    pub(super) fn has_our_bootstrap(&self) -> bool {
        match self.language {
            Language::Python3 | Language::Nodejs => true,
            Language::Custom => false,
        }
    }

    /// The account that its processes run as.
    pub(super) fn user(&self) -> Uid {
        self.user.map_or_else(Uid::effective, |user| user.id)
    }

    /// Why the program cannot be executed, if that is known: the system says little.
    pub(super) fn flaw(&self) -> Option<String> {
        if !self.code.is_dir() {
            return Some(format!("the folder {} is not there", self.code.display()));
        }
        let path = self.environment.path().map_or_else(|| self.path(), OsString::from);
        if let Some(flaw) = Flaw::of(&self.executable, &self.code, &path.to_string_lossy()) {
            return Some(format!("{} {flaw}", self.executable.display()));
        }
        misfit(self.language, &self.executable)
    }

    /// For messages.
    pub(super) fn command_line(&self) -> String {
        self.executable.display().to_string()
    }

    /// The folder of the interpreter comes first: a function may start the interpreter again.
    fn path(&self) -> OsString {
        let folder = self.executable.parent().unwrap_or(Path::new(""));
        if self.language == Language::Custom {
            return PATH.into();
        }
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(PATH);
        path
    }
}

#[cfg(test)]
mod tests {
    use super::{PYTHON, PYTHON_LAUNCH};

    /// Python 3.6 does not take other characters from its arguments, where the locale is C.
    #[test]
    fn the_texts_for_python_are_ascii() {
        assert!(PYTHON.is_ascii() && PYTHON_LAUNCH.is_ascii());
    }
}
