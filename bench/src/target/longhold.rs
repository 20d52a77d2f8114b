//! Gateway and function-runner of one build, with settings for measuring.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    free_address,
    running::{Paths, RunningTarget, Scenario},
};
use crate::process::{ProcessTree, binary};

/// The settings (`+journal=VALUE` or `+features=off`) and the folder of the binaries (`@DIR`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Build {
    features: Features,
    /// The folder of the binaries. Default: the folder of this binary.
    folder: Option<PathBuf>,
}

/// The token of the operator of all builds that ask for one.
pub(crate) const OPERATOR: &str = "the-token-of-the-operator-of-bench";

/// Longhold with all its addresses.
#[derive(Debug)]
pub(crate) struct AttackedTarget {
    pub(crate) running: RunningTarget,
    /// The internal listener of the gateway.
    pub(crate) internal: SocketAddr,
    /// The listener of the function-runner.
    pub(crate) runner: SocketAddr,
}

/// Which features of the gateway are on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Features {
    /// All features, with the default settings.
    #[default]
    All,
    /// All features, with another value of `journal.sync`.
    Journal(String),
    /// No journal on disk; pings, timeouts and limits too large to have an effect.
    Off,
}

impl Build {
    /// Starts the function-runner, and the gateway if the scenario needs it.
    pub(super) async fn start(&self, scenario: Scenario) -> anyhow::Result<RunningTarget> {
        let folder = folder()?;
        let (runner, push) = (free_address()?, free_address()?);
        write(&folder, "gateway.toml", &gateway_settings(runner, push, &self.features, ""))?;
        let mut functions = functions_settings(runner, push);
        if matches!(scenario, Scenario::Python | Scenario::Invoke) {
            // Only for these, because functions in Python need an interpreter.
            write(&folder, "index.py", include_str!("../python/index.py"))?;
            functions += &python_settings();
        }
        write(&folder, "functions.toml", &functions)?;
        let (runner_process, _) = self.start_one("function-runner", folder.path()).await?;
        let (public, processes) = if matches!(scenario, Scenario::Invoke) {
            (runner, vec![runner_process])
        } else {
            let (gateway, ready) = self.start_one("gateway", folder.path()).await?;
            let public = ready["public"].as_str().context("no address")?.parse()?;
            (public, vec![gateway, runner_process])
        };
        Ok(RunningTarget { public, processes, paths: Paths::Api, _folder: Some(folder) })
    }

    /// Starts both processes to be attacked. `settings` are more tables for `gateway.toml`, and the
    /// gateway may open at most `files_max` files.
    pub(crate) async fn start_attacked(
        &self,
        settings: &str,
        files_max: u32,
    ) -> anyhow::Result<AttackedTarget> {
        let folder = folder()?;
        let (runner, push) = (free_address()?, free_address()?);
        let settings = gateway_settings(runner, push, &self.features, settings);
        write(&folder, "gateway.toml", &settings)?;
        write(&folder, "functions.toml", &functions_settings(runner, push))?;
        let (runner_process, _) = self.start_one("function-runner", folder.path()).await?;
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(format!("ulimit -n {files_max}; exec \"$0\""));
        limited.arg(binary("gateway", self.folder.as_deref())?).current_dir(folder.path());
        let (gateway, ready) = ProcessTree::start_ready(&mut limited).await?;
        let public = ready["public"].as_str().context("no address")?.parse()?;
        let processes = vec![gateway, runner_process];
        let running = RunningTarget { public, processes, paths: Paths::Api, _folder: Some(folder) };
        Ok(AttackedTarget { running, internal: push, runner })
    }

    async fn start_one(&self, name: &str, folder: &Path) -> anyhow::Result<(ProcessTree, Value)> {
        let binary = binary(name, self.folder.as_deref())?;
        ProcessTree::start_ready(Command::new(binary).current_dir(folder)).await
    }
}

impl FromStr for Build {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (settings, folder) = match text.split_once('@') {
            Some((settings, folder)) => (settings, Some(PathBuf::from(folder))),
            None => (text, None),
        };
        let features = match settings.strip_prefix("+journal=") {
            Some(journal) => Features::Journal(journal.to_owned()),
            None if settings.is_empty() => Features::All,
            None if settings == "+features=off" => Features::Off,
            None => bail!("{settings:?} is not +journal=VALUE or +features=off"),
        };
        if let Some(folder) = &folder {
            ensure!(folder.is_dir(), "{} is not a folder", folder.display());
        }
        Ok(Self { features, folder })
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.features {
            Features::All => {}
            Features::Journal(journal) => write!(f, "+journal={journal}")?,
            Features::Off => f.write_str("+features=off")?,
        }
        if let Some(folder) = &self.folder {
            write!(f, "@{}", folder.display())?;
        }
        Ok(())
    }
}

/// Further keys of `[connection]` for [`Features::Off`].
const LIMITS_OFF: &str = concat!(
    r#", ping_interval = "12h", pong_timeout = "12h", write_timeout = "12h""#,
    r#", receive_queue = "64MiB", send_queue = "64MiB""#,
);

/// The settings of the gateway. `more` are further tables.
fn gateway_settings(
    runner: SocketAddr,
    push: SocketAddr,
    features: &Features,
    more: &str,
) -> String {
    let (journal, limits) = match features {
        Features::All => ("process", ""),
        Features::Journal(journal) => (journal.as_str(), ""),
        Features::Off => ("off", LIMITS_OFF),
    };
    format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "{push}" }}
        runner = {{ url = "http://{runner}" }}
        connection = {{ max = 15500{limits} }}
        journal = {{ sync = "{journal}" }}
        log = {{ filter = "warn" }}

        [[api]]
        id = "echo"
        path = "/bench/echo"
        transmit = "echo"

        [[api]]
        id = "python"
        path = "/bench/python"
        transmit = "python"

        [[api]]
        id = "chat"
        path = "/bench/chat"
        register = "register"
        transmit = "transmit"
        cleanup = "cleanup"

        {more}
        "#
    )
}

fn functions_settings(runner: SocketAddr, push: SocketAddr) -> String {
    let mut text = format!(
        "listen.internal = \"{runner}\"\nlog.filter = \"warn\"\nvariables.push = \"http://{push}\"\n"
    );
    for (name, api) in
        [("echo", "echo"), ("register", "chat"), ("transmit", "chat"), ("cleanup", "chat")]
    {
        text += &format!(
            r#"
            [functions.{name}]
            runtime = "rust"
            handler = "{name}"
            environment = {{ url = "${{push}}/{api}", ROSTER_URL = "memory:///bench" }}
            "#
        );
    }
    text
}

fn python_settings() -> String {
    let mut text = String::new();
    for (name, handler) in [("python", "index.echo"), ("empty", "index.empty")] {
        text += &format!(
            r#"
            [functions.{name}]
            runtime = "python3"
            code = "."
            handler = "{handler}"
            environment = {{ url = "${{push}}/python" }}
            "#
        );
    }
    text
}

/// A folder with the token, where a build looks for it.
fn folder() -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    let file = data.join("operator.token");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(OPERATOR.as_bytes())?;
    Ok(folder)
}

fn write(folder: &TempDir, name: &str, text: &str) -> io::Result<()> {
    fs::write(folder.path().join(name), text)
}
