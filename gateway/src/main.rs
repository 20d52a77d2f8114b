//! The gateway as a process: settings, telemetry, doors, run, drain.

use std::{collections::BTreeMap, env, fs, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};
use daemon::{check, ready, signals::Signals, telemetry};
use gateway::{gateway::Gateway, settings::Settings};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Holds the WebSocket so that stateless functions don't have to.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings file.
    #[arg(long, default_value = "gateway.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Asks the gateway that runs with these settings whether it is ready.
    Check,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let settings = match read_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "logging is set up by these very settings")]
            {
                eprintln!("{error:#}");
            }
            return Ok(ExitCode::from(2));
        }
    };
    if let Some(Command::Check) = arguments.command {
        check::ready(settings.internal).await?;
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::start(&settings.log);
    let mut signals = Signals::listen()?;
    let gateway = Gateway::bind(settings).await?;
    let doors = gateway.doors()?;
    ready::announce(&doors)?;
    info!(public = %doors.public, internal = %doors.internal, "gateway ready");
    let stop = CancellationToken::new();
    let mut run = tokio::spawn(gateway.run(stop.clone()));
    tokio::select! {
        ended = &mut run => ended??,
        signal = signals.next() => {
            info!(signal, "asked to stop");
            stop.cancel();
            tokio::select! {
                ended = run => ended??,
                _ = signals.next() => return Ok(ExitCode::FAILURE),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_settings(file: &PathBuf) -> anyhow::Result<Settings> {
    let text = fs::read_to_string(file).with_context(|| {
        format!("could not read {}: give the settings file with --config", file.display())
    })?;
    let variables: BTreeMap<_, _> = env::vars().collect();
    Ok(Settings::parse(file, &text, &variables)?)
}
