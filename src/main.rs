//! The process `longhold`: gateway, function-runner and the chat page in one process, and an object
//! store if there are settings for it. The services call each other over HTTP on loopback. For
//! first trials, for developing functions, and for a single machine.

mod access;
mod names;
mod object_store;
mod page;
mod reload;
mod settings;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use cos::Credential;
use daemon::{
    check::reachable,
    listen::listen,
    process::{self, Ended},
    ready,
    settings::SettingsError,
    signals::Signals,
    telemetry,
};
use function_runner::{Runner, serve_with_changes, settings::SecretPair};
use gateway::gateway::{Gateway, GatewayError, JournalCommand};
use serde::Serialize;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;

use self::{
    object_store::{BoundStore, ObjectStore},
    reload::WatchedFiles,
    settings::{Files, all},
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
}

/// The fields of the ready line.
#[derive(Debug, Clone, Copy, Serialize)]
struct Listeners {
    public: SocketAddr,
    internal: SocketAddr,
    function_runner: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    cos: Option<SocketAddr>,
}

/// All services, with their listeners open.
#[derive(Debug)]
struct Services {
    gateway: Gateway,
    runner: Runner,
    runner_listener: TcpListener,
    object_store: Option<ObjectStore>,
    watched: WatchedFiles,
    listeners: Listeners,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut files = match Files::find(arguments.config_dir.as_deref()) {
        Ok(files) => files,
        Err(error) => return fail(&error, 2),
    };
    if let Some(Command::Journal { command }) = arguments.command {
        return match files.parse_gateway() {
            Ok(settings) => ended(command.run(&settings).map_err(Into::into)),
            Err(error) => fail(&error.into(), 2),
        };
    }
    let services = match open(&mut files).await {
        Ok(services) => services,
        Err(error)
            if error.is::<settings::AllErrors>()
                || error.is::<SettingsError>()
                || GatewayError::is_of_settings(error.as_ref()) =>
        {
            return fail(&error, 2);
        }
        Err(error) => return fail(&error, 1),
    };
    // Boxed, because the future is large: it holds both services.
    ended(Box::pin(run(files, services)).await)
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    outcome.map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS)
}

/// Opens all listeners before any service runs, because each service must know the other's address.
async fn open(files: &mut Files) -> anyhow::Result<Services> {
    let mut watched = WatchedFiles::default();
    // Before anything is opened. The address for pushes is not known yet.
    let functions = files.parse_functions(settings::NOWHERE);
    let (settings, functions, cos) = all(files.parse_gateway(), functions, files.parse_cos())?;
    names::check(&settings, &functions)?;
    settings::refuse_internal_tls(&settings, &functions)?;
    files.decide(&settings, &functions);
    telemetry::start(&settings.log);
    process::close_to_others();
    watched.watch_gateway(files, &settings).await?;
    // Files and folders that the settings name may have changed before they were watched.
    let mut gateway = Gateway::bind(files.parse_gateway()?).await?;
    let gateway::gateway::Listeners { public, internal: pushes } = gateway.listeners()?;
    if !gateway.speaks_tls() {
        files.gateway_is_at(public);
    }
    let object_store = match cos {
        Some(settings) => Some(BoundStore::bind(settings).await?),
        None => None,
    };
    if let Some(store) = object_store.as_ref().filter(|store| !store.speaks_tls()) {
        files.cos_is_at(store.address);
    }
    watched.watch_functions(files, &files.parse_functions(pushes)?).await?;
    let settings = files.parse_functions(pushes)?;
    let (address, place) = (settings.internal, settings.place("listen.internal"));
    let runner = Runner::start(settings)?;
    files.use_functions(&runner);
    let runner_listener = listen(address, place).await?;
    let function_runner = runner_listener.local_addr()?;
    gateway = gateway.with_runner(url_of(function_runner));
    if files.is_built_in() {
        gateway = gateway.with_pages(page::pages());
    }
    let gateway::gateway::Listeners { public, internal } = gateway.listeners()?;
    let object_store = match object_store {
        Some(store) => {
            let of_settings = |what| anyhow!("[cloud.role] of functions.toml {what}");
            let role = credential_of(&runner.role()).map_err(of_settings)?;
            Some(store.open(role).await?)
        }
        None => None,
    };
    let cos = object_store.as_ref().map(|store| store.address);
    let listeners = Listeners { public, internal, function_runner, cos };
    Ok(Services { gateway, runner, runner_listener, object_store, watched, listeners })
}

async fn run(files: Files, services: Services) -> anyhow::Result<()> {
    let Services { mut gateway, runner, runner_listener, object_store, watched, listeners } =
        services;
    let speaks_tls = gateway.speaks_tls();
    let signals = Signals::listen().context("could not listen for signals")?;
    ready::announce(&listeners).context("could not write the ready line")?;
    let scheme = if speaks_tls { "https" } else { "http" };
    info!(
        internal = %listeners.internal, function_runner = %listeners.function_runner,
        "longhold ready: open {scheme}://{}/ in two tabs", reachable(listeners.public),
    );
    let (new_settings, gateway_changes) = mpsc::channel(1);
    gateway = gateway.with_changes(gateway_changes);
    let (new_functions, function_changes) = mpsc::channel(1);
    // Boxed, because the futures are large: this one holds all settings while it sends them, and
    // those of the services all settings of the start.
    let store = object_store.as_ref().map(ObjectStore::service);
    let following = Box::pin(watched.follow(files, listeners, store, new_settings, new_functions));
    let both = |stop: CancellationToken| {
        let all = async move {
            // The gateway drains before the runner, because its connections need the functions
            // until their end.
            let stop_runner = CancellationToken::new();
            let runner =
                serve_with_changes(runner, runner_listener, function_changes, stop_runner.clone());
            // Functions may use the object store until their end.
            let stop_store = CancellationToken::new();
            let object_store = ObjectStore::serve_if_any(object_store, stop_store.clone());
            let runner = async {
                Box::pin(runner).await;
                stop_store.cancel();
            };
            let gateway = async {
                let ended = Box::pin(gateway.run(stop)).await;
                stop_runner.cancel();
                ended
            };
            let (ended, (), (), ()) =
                tokio::join!(gateway, runner, following, Box::pin(object_store));
            ended
        };
        // Boxed, because the future is large: it holds all services.
        Box::pin(all)
    };
    match process::supervise(signals, both).await {
        Ended::Drained(ended) => Ok(ended?),
        #[expect(clippy::exit, reason = "running tasks must not delay the end")]
        Ended::Forced => std::process::exit(1),
    }
}

/// What functions with a role sign with, for the object store.
fn credential_of(role: &SecretPair) -> Result<Credential, String> {
    Credential::new(role.id(), role.key())
        .map_err(|what| format!("is no pair for the object store: it {what}"))
}

fn url_of(address: SocketAddr) -> Url {
    let text = format!("http://{}", reachable(address));
    Url::parse(&text).expect("an address makes a URL")
}

#[expect(clippy::print_stderr, reason = "the log may not have been started yet")]
fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("longhold: {}", telemetry::for_terminal(&format!("{error:#}")));
    ExitCode::from(code)
}
