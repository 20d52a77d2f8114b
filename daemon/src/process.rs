//! The process around a service: its settings file, its environment, its shutdown.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fmt::Display,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use nix::sys::prctl::set_dumpable;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{children, settings::read_settings_text, signals::Signals, telemetry::for_terminal};

/// The settings file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read {}: name the file with {argument}", .path.display())]
pub struct NoSettingsFile {
    path: PathBuf,
    argument: &'static str,
    source: io::Error,
}

/// Reads a settings file. `argument` is the one of the command line that names the file.
pub fn read_file(path: &Path, argument: &'static str) -> Result<String, NoSettingsFile> {
    read_settings_text(path).map_err(|source| NoSettingsFile {
        path: path.to_owned(),
        argument,
        source,
    })
}

/// Says on stderr why `program` could not start or go on, and returns the exit code `code`. Nothing
/// in `error` can control the terminal.
#[expect(clippy::print_stderr, reason = "the log may not have been started yet")]
pub fn fail(program: &str, error: &impl Display, code: u8) -> ExitCode {
    eprintln!("{program}: {}", for_terminal(&format!("{error:#}")));
    ExitCode::from(code)
}

/// The environment of the process, without variables that are not text: no setting is one of them.
pub fn variables() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::vars_os().filter_map(text).collect()
}

/// Keeps other processes of the same user, such as functions, out of the memory and the environment
/// of this one. The system then writes no core dump of it, and lets only root attach a debugger.
pub fn close_to_others() {
    if let Err(error) = set_dumpable(false) {
        warn!(%error, "other processes of this user can read the memory of this one");
    }
}

/// How a supervised service ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// The service ended by itself, or drained after a signal.
    Drained(T),
    /// A second signal came while the service drained: the process should exit at once.
    Forced,
}

/// Runs a service until it ends. The first signal cancels the token of the service, which drains
/// from then on. Meanwhile reaps processes that nobody waits for.
pub async fn supervise<F: Future>(
    signals: Signals,
    service: impl FnOnce(CancellationToken) -> F,
) -> Ended<F::Output> {
    tokio::select! {
        ended = supervise_signals(signals, service) => ended,
        never = children::reap() => match never {},
    }
}

async fn supervise_signals<F: Future>(
    mut signals: Signals,
    service: impl FnOnce(CancellationToken) -> F,
) -> Ended<F::Output> {
    let stop = CancellationToken::new();
    let mut running = std::pin::pin!(service(stop.clone()));
    tokio::select! {
        output = &mut running => return Ended::Drained(output),
        signal = signals.next() => info!("{signal} received, draining"),
    }
    stop.cancel();
    tokio::select! {
        output = running => Ended::Drained(output),
        signal = signals.next() => {
            warn!("{signal} received while draining, leaving at once");
            Ended::Forced
        }
    }
}
