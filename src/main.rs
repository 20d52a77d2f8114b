//! The process `longhold`: gateway, function-runner and the chat page in one process, and an object
//! store if there are settings for it. The services call each other over HTTP on loopback. For
//! first trials, for developing functions, and for a single machine.

mod access;
mod names;
mod object_store;
mod page;
mod reload;
mod services;
mod settings;
mod up;

use std::{future::pending, path::PathBuf, process::ExitCode};

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use daemon::{
    process::{self, Ended},
    settings::SettingsError,
    signals::Signals,
};
use gateway::gateway::{GatewayError, JournalCommand};

use self::{
    services::Services,
    settings::Files,
    up::{Import, Outcome, Up},
};

/// Gateway and function-runner in one process
#[derive(Debug, Parser)]
#[command(version = env!("LONGHOLD_VERSION"))]
struct Arguments {
    /// The folder with gateway.toml and functions.toml, and perhaps cos.toml. Default: the working
    /// folder, or built-in settings with a chat and an echo if it has neither of the first two
    #[arg(long, global = true, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The journal of owed cleanups
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    Up(Up),
    Import(Import),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        None | Some(Command::Journal { .. }) => {}
        Some(_) if arguments.config_dir.is_some() => {
            let what = "--config-dir has no meaning here: the settings are made of the project";
            return fail(&anyhow!(what), 2);
        }
        // Boxed, because the future is large: it holds all services.
        Some(Command::Up(up)) => return outcome(Box::pin(up.run()).await),
        Some(Command::Import(import)) => return outcome(import.run().await.map(Outcome::Done)),
    }
    let mut files = match Files::find(arguments.config_dir.as_deref()) {
        Ok(files) => files,
        Err(error) => return fail(&error, 2),
    };
    if let Some(Command::Journal { command }) = arguments.command {
        return match files.parse_gateway() {
            Ok(settings) => ended(command.run(&settings).map(Ended::Drained).map_err(Into::into)),
            Err(error) => fail(&error.into(), 2),
        };
    }
    match Services::open(&mut files).await {
        // Boxed, because the future is large: it holds all services.
        Ok(services) => ended(Box::pin(run(files, services)).await),
        Err(error) => refused(&error),
    }
}

async fn run(files: Files, services: Services) -> anyhow::Result<Ended<()>> {
    let signals = Signals::listen().context("could not listen for signals")?;
    services.run(files, signals, |_| pending()).await
}

fn ended(outcome: anyhow::Result<Ended<()>>) -> ExitCode {
    match outcome {
        Ok(Ended::Drained(())) => ExitCode::SUCCESS,
        #[expect(clippy::exit, reason = "running tasks must not delay the end")]
        Ok(Ended::Forced) => std::process::exit(1),
        Err(error) => fail(&error, 1),
    }
}

fn outcome(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::Ran(services)) => ended(Ok(services)),
        Ok(Outcome::Done(code)) => code,
        Err(error) => refused(&error),
    }
}

/// The services could not be opened.
fn refused(error: &anyhow::Error) -> ExitCode {
    let is_of_settings = error.is::<settings::AllErrors>()
        || error.is::<SettingsError>()
        || GatewayError::is_of_settings(error.as_ref());
    fail(error, if is_of_settings { 2 } else { 1 })
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    process::fail("longhold", error, code)
}
