//! The process `function-runner`: settings, log, listen, run, drain.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use daemon::{
    check,
    listen::listen,
    process::{self, Ended},
    ready,
    reload::{FromFile, ReloadTriggers, SettingsFile, follow},
    serve::Listener,
    settings::SettingsError,
    signals::Signals,
    telemetry,
    tls::Tls,
};
use function_runner::{
    Runner, Settings, serve_with_changes,
    settings::{self, KnownFunctions},
};
use functions::Catalog;
use serde::Serialize;
use tokio::sync::mpsc;
use tracing::info;

/// Runs functions that are invoked over HTTP.
#[derive(Debug, Parser)]
#[command(version = env!("LONGHOLD_VERSION"))]
struct Arguments {
    /// The settings. Variables such as `LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL` override them
    #[arg(long, global = true, value_name = "FILE", default_value = "functions.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks the process that runs with these settings whether it is ready: exits with 0 or 1
    Check,
}

/// The fields of the ready line.
#[derive(Serialize)]
struct Listeners {
    internal: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Some(Command::Check) => check(&arguments).await,
        None => match read_settings(&arguments) {
            Ok((file, settings)) => match run(file, settings).await {
                // The environment of a function is wrong, and only its start could tell.
                Err(error) if error.is::<SettingsError>() => return fail(&error, 2),
                ended => ended,
            },
            Err(error) => return fail(&error, 2),
        },
    };
    outcome.map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS)
}

async fn run(file: SettingsFile, settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log);
    process::close_to_others();
    let signals = Signals::listen().context("could not listen for signals")?;
    let mut triggers =
        ReloadTriggers::listen(settings.watch).context("could not listen for SIGHUP")?;
    triggers.watch(&file.path, settings.folders()).await;
    // Files and folders that the settings name may have changed before they were watched.
    let settings = parse(&file.path, &file.text, &KnownFunctions::default())?;
    let (internal, place) = (settings.internal, settings.place("listen.internal"));
    let (tls, watch) = (settings.open_tls()?, settings.watch);
    let runner = Runner::start(settings)?;
    let tcp = listen(internal, place).await?;
    let internal = tcp.local_addr()?;
    let listener = Listener { tls: tls.clone(), ..tcp.into() };
    ready::announce(&Listeners { internal }).context("could not write the ready line")?;
    info!(%internal, "function-runner ready");
    let (path, known) = (file.path.clone(), runner.known_functions());
    let (new_settings, changes) = mpsc::channel(1);
    let both = |stop| async {
        let following = follow(triggers, file, |text| parse(&path, text, &known), new_settings);
        let serving = serve_with_changes(runner, listener, changes, stop);
        // Boxed, because the future is large: it holds all functions.
        let both = Box::pin(async { tokio::join!(serving, following) });
        Tls::following(tls.as_ref(), watch, both).await
    };
    match process::supervise(signals, both).await {
        Ended::Drained(((), ())) => Ok(()),
        #[expect(clippy::exit, reason = "functions that still run must not delay the exit")]
        Ended::Forced => std::process::exit(1),
    }
}

async fn check(arguments: &Arguments) -> anyhow::Result<()> {
    let text = process::read_file(&arguments.config, "--config")?;
    let (internal, transport) =
        settings::internal_listener(&arguments.config, &text, &process::variables())?;
    check::ready(internal, transport).await.context("not ready")
}

fn read_settings(arguments: &Arguments) -> anyhow::Result<(SettingsFile, Settings)> {
    let path = arguments.config.clone();
    let text = process::read_file(&path, "--config")?;
    let settings = parse(&path, &text, &KnownFunctions::default())?;
    Ok((SettingsFile { path, text }, settings))
}

fn parse(path: &Path, text: &str, known: &KnownFunctions) -> Result<Settings, SettingsError> {
    let (extra, catalog) = (BTreeMap::new(), Catalog::built_in());
    Settings::parse_again(path, text, &process::variables(), &extra, &catalog, known)
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    process::fail("function-runner", error, code)
}
