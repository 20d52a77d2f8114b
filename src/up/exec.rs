//! The command of `--exec`, which is run against a project.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, ExitCode, ExitStatus},
    time::Duration,
};

use anyhow::Context;

use super::{
    process::{self, Kept},
    served::Served,
};

/// What a shell answers for a process that a signal has ended, added to the signal's number.
const SIGNALED: i32 = 128;

/// Runs `command` in a shell, with the addresses of the project in its environment, and gives its
/// exit code.
pub(super) async fn run(command: &str, served: &Served<'_>) -> anyhow::Result<ExitCode> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).envs(variables(served));
    let ended = process::run(shell, Kept::Nothing, Duration::MAX);
    let ended = ended.await.context("could not run the command of --exec")?;
    Ok(ExitCode::from(code_of(ended.status)))
}

/// Where a client finds what the project serves.
fn variables(served: &Served<'_>) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("LONGHOLD_URL", served.clients().next()),
        ("LONGHOLD_PAGE", Some(served.page())),
        ("LONGHOLD_PUSH", Some(served.pushes())),
        ("LONGHOLD_COS", served.cos()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

fn code_of(ended: ExitStatus) -> u8 {
    let code = ended.code().or_else(|| Some(SIGNALED + ended.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
