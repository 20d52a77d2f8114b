//! The real binaries as child processes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

use super::{TEST_TIMEOUT, access, soon};

/// A running binary, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    ready: Value,
    log: watch::Receiver<String>,
}

/// The result of a binary that has ended by itself.
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Exit {
    fn of(output: Output) -> Self {
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Self { status: output.status, stdout, stderr }
    }
}

/// The path of a binary of the workspace. The binaries of other packages are in the same folder;
/// they are built with the tests of their packages.
pub(crate) fn binary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_longhold")).with_file_name(name);
    assert!(path.exists(), "{} is missing: run cargo test --workspace", path.display());
    path
}

/// A command in `folder` with only these environment variables.
fn command(name: &str, arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary(name));
    command.args(arguments);
    prepare(command, folder, &[&known_access(name), variables].concat())
}

/// Variables with which the services of a binary take the tokens of the tests. A gateway takes
/// pushes of this machine without one.
fn known_access(name: &str) -> Vec<(&'static str, &'static str)> {
    let [service, operator] = access::files();
    let mut variables = vec![
        ("LONGHOLD_GATEWAY__ACCESS__SERVICE_FILE", &**service),
        ("LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE", &**operator),
        ("LONGHOLD_FUNCTION_RUNNER__ACCESS__SERVICE_FILE", &**service),
        ("LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE", &**operator),
    ];
    if name == "gateway" {
        variables.push(("LONGHOLD_GATEWAY__PUSH__AUTH", "loopback"));
    }
    variables
}

fn prepare(mut command: Command, folder: &Path, variables: &[(&str, &str)]) -> Command {
    command
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a binary that ends by itself.
pub(crate) async fn run(
    name: &str,
    arguments: &[&str],
    folder: &Path,
    variables: &[(&str, &str)],
) -> Exit {
    let output =
        soon("the end", command(name, arguments, folder, variables).output()).await.unwrap();
    Exit::of(output)
}

/// Runs shell commands.
pub(crate) async fn run_shell(shell: &str, folder: &Path) -> Exit {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", shell]);
    let output = soon("the end", prepare(command, folder, &[]).output()).await.unwrap();
    Exit::of(output)
}

impl Process {
    /// Starts a binary and waits for its ready line.
    pub(crate) async fn start(
        name: &str,
        arguments: &[&str],
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        Self::ready_after(name, command(name, arguments, folder, variables)).await
    }

    /// Like [`Self::start`], for a process that may end before it is ready.
    pub(crate) async fn try_start(
        name: &str,
        arguments: &[&str],
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self, Exit> {
        Self::ready_or_ended(command(name, arguments, folder, variables)).await
    }

    /// Like [`Self::start`], after shell commands that set limits for the process.
    pub(crate) async fn start_after(shell: &str, name: &str, folder: &Path) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{shell}\nexec \"$0\"")]).arg(binary(name));
        Self::ready_after(name, prepare(command, folder, &known_access(name))).await
    }

    /// Starts a binary with shell commands.
    pub(crate) async fn start_shell(shell: &str, folder: &Path) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", shell]);
        Self::ready_after(shell, prepare(command, folder, &[])).await
    }

    async fn ready_after(name: &str, command: Command) -> Self {
        let ready = Self::ready_or_ended(command).await;
        ready.unwrap_or_else(|exit| panic!("{name} did not get ready: {}", exit.stderr))
    }

    async fn ready_or_ended(mut command: Command) -> Result<Self, Exit> {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        soon("the ready line", stdout.read_line(&mut line)).await.unwrap();
        if line.is_empty() {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
            let status = soon("the end of a process", child.wait()).await.unwrap();
            return Err(Exit { status, stdout: String::new(), stderr });
        }
        // Read to the end, so that the process never waits for a reader of its log.
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = watch::channel(String::new());
        tokio::spawn(async move {
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).await.is_ok_and(|bytes| bytes > 0) {
                sender.send_modify(|log| log.push_str(&String::from_utf8_lossy(&line)));
                line.clear();
            }
        });
        let ready = serde_json::from_str(&line).unwrap();
        Ok(Self { child, ready, log })
    }

    /// The ready line.
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    /// Waits until the log has `piece`. If that never comes, the whole log is shown.
    pub(crate) async fn logged(&self, piece: &str) {
        let mut log = self.log.clone();
        let comes = timeout(TEST_TIMEOUT, log.wait_for(|log| log.contains(piece)));
        let has_come = comes.await.is_ok_and(|found| found.is_ok());
        assert!(has_come, "{piece} never came, and this was logged:\n{}", self.log());
    }

    /// The log until now.
    pub(crate) fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// The address of a listener, from the ready line.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.ready[name].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().try_into().unwrap()), signal).unwrap();
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn stopped(self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended().await
    }

    /// Waits for the end. Returns the log.
    pub(crate) async fn ended_with_log(mut self) -> String {
        soon("the end of a process", self.child.wait()).await.unwrap();
        let all = async { while self.log.changed().await.is_ok() {} };
        soon("the end of the log", all).await;
        self.log.borrow().clone()
    }

    /// Waits for the end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        soon("the end of a process", self.child.wait()).await.unwrap()
    }
}
