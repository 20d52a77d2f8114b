//! A child process with its descendants. They are ended together.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take to get ready.
const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// A child process and its descendants. Killed when this is dropped. The child has a process group
/// of its own, so an interrupt at the terminal reaches only the tool, which then kills the child.
#[derive(Debug)]
pub(crate) struct ProcessTree {
    child: Child,
    pid: i32,
}

impl ProcessTree {
    /// Starts a process that does not say when it is ready.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let program = command.as_std().get_program().to_owned();
        let child = command
            .process_group(0)
            // The pipe closes when the tool ends, which tells the process to end too.
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let pid = i32::try_from(child.id().context("the process ended at once")?)?;
        Ok(Self { child, pid })
    }

    /// Starts a process that prints a line of JSON when it is ready, and waits for that.
    pub(crate) async fn start_ready(command: &mut Command) -> anyhow::Result<(Self, Value)> {
        let program = command.as_std().get_program().to_owned();
        let mut process = Self::start(command.stdout(Stdio::piped()))?;
        let mut stdout = BufReader::new(process.child.stdout.take().context("no stdout")?);
        let mut line = String::new();
        timeout(READY_TIMEOUT, stdout.read_line(&mut line)).await??;
        let ready = serde_json::from_str(&line)
            .with_context(|| format!("{} did not get ready", program.display()))?;
        Ok((process, ready))
    }

    /// The processor time that the child and its descendants have used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut ticks = 0;
        for pid in self.tree()? {
            let Some(fields) = stat(pid) else { continue };
            // utime and stime, in ticks of 10 ms (proc_pid_stat(5)).
            ticks += fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        }
        Ok(Duration::from_millis(ticks * 10))
    }

    /// The resident memory (PSS) of the child and its descendants, in bytes. Shared memory is
    /// divided among the processes that share it, so it counts once.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.tree()?.into_iter().map(memory_of).sum()
    }

    /// The pid of the child.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Kills all processes at the same time, so that none of them logs that another one is gone.
    pub(crate) fn end_all(processes: &[Self]) {
        let pids: Vec<_> = processes.iter().flat_map(Self::tree_or_self).collect();
        for pid in pids {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    fn tree_or_self(&self) -> Vec<i32> {
        self.tree().unwrap_or_else(|_| vec![self.pid])
    }

    /// The pids of the child and its descendants.
    fn tree(&self) -> anyhow::Result<Vec<i32>> {
        let mut children = HashMap::<i32, Vec<i32>>::new();
        for entry in fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
            let Some(fields) = stat(pid) else { continue };
            children.entry(fields[1].parse()?).or_default().push(pid);
        }
        let mut tree = vec![self.pid];
        let mut next = 0;
        while let Some(pid) = tree.get(next) {
            tree.extend(children.remove(pid).unwrap_or_default());
            next += 1;
        }
        Ok(tree)
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        // Killing the process group would not be enough: some programs give each of their children
        // a group of its own. The child has not been reaped, so its pid is still valid.
        Self::end_all(std::slice::from_ref(self));
    }
}

/// The resident memory (PSS) of one process, in bytes.
pub(crate) fn memory_of(pid: i32) -> anyhow::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no Pss")?;
    Ok(number.parse::<u64>()? * 1024)
}

/// The fields of `/proc/<pid>/stat` after the name. None if the process is gone.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// The path of a binary of this project, in `folder` or in the folder of this binary.
pub(crate) fn binary(name: &str, folder: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match folder {
        Some(folder) => folder.canonicalize()?.join(name),
        None => env::current_exe()?.with_file_name(name),
    };
    ensure!(path.exists(), "{} is missing: cargo build --release --workspace", path.display());
    Ok(path)
}

/// Whether a program is in `PATH` or in `/usr/sbin`.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join(name).is_file())
}
