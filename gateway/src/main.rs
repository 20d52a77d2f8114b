//! The process `gateway`: settings, log, listeners, run, drain.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};
use daemon::{
    check::{self, Transport},
    process::{self, Ended},
    ready,
    reload::{FromFile, ReloadTriggers, SettingsFile, follow},
    signals::Signals,
    telemetry,
};
use gateway::{
    gateway::{Gateway, GatewayError, JournalCommand},
    settings::Settings,
};
use tokio::sync::mpsc;
use tracing::info;

/// Holds the WebSocket so that stateless functions don't have to.
#[derive(Debug, Parser)]
#[command(version = env!("LONGHOLD_VERSION"))]
struct Arguments {
    /// The settings. Variables such as `LONGHOLD_GATEWAY__LISTEN__PUBLIC` override them
    #[arg(long, global = true, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks the process that runs with these settings whether it is ready: exits with 0 or 1
    Check,
    /// The journal of owed cleanups
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (file, settings) = match read_settings(&arguments) {
        Ok(read) => read,
        Err(error) => return fail(&error, 2),
    };
    let outcome = match arguments.command {
        Some(Command::Check) => {
            check::ready(settings.internal, Transport::of(&settings.internal_tls))
                .await
                .context("not ready")
        }
        Some(Command::Journal { command }) => command.run(&settings).map_err(Into::into),
        // Boxed, because the future is large: it holds the gateway and all settings.
        None => Box::pin(run(file, settings)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if GatewayError::is_of_settings(error.as_ref()) => fail(&error, 2),
        Err(error) => fail(&error, 1),
    }
}

async fn run(file: SettingsFile, settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log);
    process::close_to_others();
    let signals = Signals::listen().context("could not listen for signals")?;
    let mut triggers =
        ReloadTriggers::listen(settings.watch).context("could not listen for SIGHUP")?;
    triggers.watch(&file.path, settings.folders()).await;
    let path = file.path.clone();
    let parse = move |text: &str| Settings::parse(&path, text, &process::variables());
    // Files and folders that the settings name may have changed before they were watched.
    let settings = parse(&file.text).map_err(GatewayError::from)?;
    let (new_settings, changes) = mpsc::channel(1);
    let gateway = Gateway::bind(settings).await?.with_changes(changes);
    let listeners = gateway.listeners()?;
    ready::announce(&listeners).context("could not write the ready line")?;
    info!(public = %listeners.public, internal = %listeners.internal, "gateway ready");
    let both = |stop| async {
        let following = follow(triggers, file, parse, new_settings);
        let (ended, ()) = tokio::join!(Box::pin(gateway.run(stop)), following);
        ended
    };
    match process::supervise(signals, both).await {
        Ended::Drained(ended) => Ok(ended?),
        #[expect(clippy::exit, reason = "what still runs must not delay the exit")]
        Ended::Forced => std::process::exit(1),
    }
}

fn read_settings(arguments: &Arguments) -> anyhow::Result<(SettingsFile, Settings)> {
    let path = arguments.config.clone();
    let text = process::read_file(&path, "--config")?;
    let settings = Settings::parse(&path, &text, &process::variables())?;
    Ok((SettingsFile { path, text }, settings))
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    process::fail("gateway", error, code)
}
