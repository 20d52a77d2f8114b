//! Gateway and function-runner as child processes, set up for measuring.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Both services; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) public: SocketAddr,
    gateway: Child,
    _runner: Child,
    _folder: tempfile::TempDir,
}

impl Services {
    /// Starts both, with the APIs `/bench/echo` (transmit alone) and `/bench/chat` (all three
    /// functions, a roster in memory).
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with("process").await
    }

    /// The same with a value of `journal.sync`.
    pub(crate) async fn start_with(journal: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (runner, push) = (free_address()?, free_address()?);
        fs::write(folder.path().join("gateway.toml"), gateway_settings(runner, push, journal))?;
        fs::write(folder.path().join("functions.toml"), functions_settings(runner, push))?;
        let (runner, _) = start("function-runner", &folder).await?;
        let (gateway, ready) = start("gateway", &folder).await?;
        let public = ready["public"].as_str().context("no address")?.parse()?;
        Ok(Self { public, gateway, _runner: runner, _folder: folder })
    }

    /// Processor time that the gateway has used, of all its threads.
    pub(crate) fn gateway_cpu(&self) -> anyhow::Result<Duration> {
        let pid = self.gateway.id().context("the gateway has ended")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let after_name = stat.rsplit(')').next().context("no stat")?;
        let fields: Vec<_> = after_name.split_whitespace().collect();
        // utime and stime, in ticks of 10 ms (proc_pid_stat(5)).
        let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory of the gateway in bytes.
    pub(crate) fn gateway_rss(&self) -> anyhow::Result<u64> {
        let pid = self.gateway.id().context("the gateway has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }
}

fn gateway_settings(runner: SocketAddr, push: SocketAddr, journal: &str) -> String {
    format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "{push}" }}
        runner = {{ url = "http://{runner}" }}
        connection = {{ max = 15500 }}
        journal = {{ sync = "{journal}" }}
        log = {{ filter = "warn" }}
        api = [
            {{ id = "echo", path = "/bench/echo", transmit = "echo" }},
            {{ id = "chat", path = "/bench/chat", register = "register", transmit = "transmit", cleanup = "cleanup" }},
        ]
        "#
    )
}

fn functions_settings(runner: SocketAddr, push: SocketAddr) -> String {
    let mut text = format!("listen.internal = \"{runner}\"\nlog.filter = \"warn\"\n");
    for (name, api) in
        [("echo", "echo"), ("register", "chat"), ("transmit", "chat"), ("cleanup", "chat")]
    {
        text += &format!(
            r#"
            [functions.{name}]
            runtime = "rust"
            handler = "{name}"
            environment = {{ url = "http://{push}/{api}", ROSTER_URL = "memory:///bench" }}
            "#
        );
    }
    text
}

async fn start(name: &str, folder: &tempfile::TempDir) -> anyhow::Result<(Child, Value)> {
    let mut child = Command::new(beside(name)?)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut line = String::new();
    let stdout = child.stdout.take().context("no stdout")?;
    BufReader::new(stdout).read_line(&mut line).await?;
    let ready = serde_json::from_str(&line).with_context(|| format!("{name} did not get ready"))?;
    Ok((child, ready))
}

fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing: cargo build --release --workspace", path.display());
    Ok(path)
}

/// Each service has to know the other's address before it starts.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
