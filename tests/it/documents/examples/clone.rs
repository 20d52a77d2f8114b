//! A fresh clone of the repository, as far as an example needs it, and the example that runs there.
//!
//! Two things differ from a clone. The addresses are changed, in the copied files and where these
//! leave them out: examples run at the same time, and all have the same ports. In place of Cargo a
//! script starts what Cargo has built for the tests.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::super::blocks::{ROOT, blocks};
use crate::support::{process::binary, soon};

/// Lists the files that git would clone. Where there is no repository, those that are there.
const CLONED: &str = "git ls-files -z --error-unmatch \"$@\" 2>/dev/null || find \"$@\" -type f \
                      ! -path '*/data/*' ! -path '*/__pycache__/*' -print0";

/// In place of Cargo, which would build everything once more.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
"run -- "*) shift 2; exec "$BUILT/longhold" "$@" ;;
"run --example own-runner") exec "$BUILT/examples/own-runner" ;;
"run --package gateway") exec "$BUILT/gateway" ;;
"build --release --package lambda-echo") install -D "$BUILT/bootstrap" target/release/bootstrap ;;
*) echo "the test does not know: cargo $*" >&2; exit 2 ;;
esac
"#;

pub(super) struct Clone {
    pub(super) folder: TempDir,
    ip: Ipv4Addr,
    /// The shell and all that the command starts, without the processes of functions.
    group: Pid,
    shell: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Clone {
    /// Runs the command of the example's README, until this many processes are ready.
    pub(super) async fn run(name: &str, processes: usize) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let ip = Ipv4Addr::from(0x7f00_0000 | fastrand::u32(0x0001_0000..0x00ff_ffff));
        for file in cloned(&["web", &format!("examples/{name}")]).await {
            copy(&Path::new(ROOT).join(&file), &folder.path().join(&file), ip);
        }
        let tools = folder.path().join("tools");
        fs::create_dir(&tools).unwrap();
        fs::write(tools.join("cargo"), CARGO).unwrap();
        fs::set_permissions(tools.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        let command = &blocks(&format!("examples/{name}/README.md"))[0].text;
        let mut shell = Command::new("bash")
            .args(["-euc", command])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", tools.display()))
            .env("BUILT", binary("longhold").parent().unwrap())
            .envs(addresses(ip))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let group = Pid::from_raw(shell.id().unwrap().try_into().unwrap());
        let stdout = BufReader::new(shell.stdout.take().unwrap()).lines();
        let mut clone = Self { folder, ip, group, shell, stdout };
        for _ in 0..processes {
            let line = soon("a ready line", clone.stdout.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{name} did not get ready"));
            assert!(line.contains(r#""ready":true"#), "{line}");
        }
        clone
    }

    pub(super) fn public(&self) -> SocketAddr {
        (self.ip, 9000).into()
    }

    /// Asks all processes to end, as Ctrl-C in a terminal does.
    pub(super) fn stop(&self) {
        killpg(self.group, Signal::SIGINT).unwrap();
    }

    /// Waits until all of them have ended, and the command with success.
    pub(super) async fn ended(&mut self) {
        assert_eq!(soon("the end", self.stdout.next_line()).await.unwrap(), None);
        let status = soon("the end of the shell", self.shell.wait()).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        // For a test that has failed. Otherwise they have ended.
        let _ = killpg(self.group, Signal::SIGKILL);
    }
}

/// The default addresses, at `ip`.
fn addresses(ip: Ipv4Addr) -> [(&'static str, String); 4] {
    [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", format!("{ip}:9000")),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", format!("{ip}:9001")),
        ("LONGHOLD_GATEWAY__RUNNER__URL", format!("http://{ip}:9002")),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", format!("{ip}:9002")),
    ]
}

/// The files below these folders, relative to the root.
async fn cloned(folders: &[&str]) -> Vec<PathBuf> {
    let mut list = Command::new("sh");
    let output = list.args(["-c", CLONED, "sh"]).args(folders).current_dir(ROOT).output();
    let output = output.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = output.stdout.split(|byte| *byte == 0).filter(|file| !file.is_empty());
    files.map(|file| PathBuf::from(str::from_utf8(file).unwrap())).collect()
}

fn copy(from: &Path, to: &Path, ip: Ipv4Addr) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
    if to.extension().is_some_and(|extension| extension == "toml") {
        let text = fs::read_to_string(from).unwrap();
        fs::write(to, text.replace("127.0.0.1", &ip.to_string())).unwrap();
    }
}
