//! The services of the process: they are opened together, and run until the process is stopped.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use cos::Credential;
use daemon::{
    check::reachable,
    listen::listen,
    process::{self, Ended},
    ready,
    signals::Signals,
    telemetry,
};
use function_runner::{Runner, serve_with_changes, settings::SecretPair};
use gateway::gateway::{Gateway, Listeners as GatewayListeners};
use serde::Serialize;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;

use crate::{
    object_store::{BoundStore, ObjectStore},
    page,
    reload::WatchedFiles,
    settings::Files,
};

/// The fields of the ready line.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Listeners {
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) function_runner: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cos: Option<SocketAddr>,
    /// Whether the public listener speaks TLS.
    #[serde(skip)]
    pub(crate) speaks_tls: bool,
}

/// All services, with their listeners open.
#[derive(Debug)]
pub(crate) struct Services {
    gateway: Gateway,
    runner: Runner,
    runner_listener: TcpListener,
    object_store: Option<ObjectStore>,
    watched: WatchedFiles,
    listeners: Listeners,
}

impl Services {
    /// Opens all listeners before any service runs, because each service must know the other's
    /// address.
    pub(crate) async fn open(files: &mut Files) -> anyhow::Result<Self> {
        let mut watched = WatchedFiles::default();
        // Before anything is opened. The address for pushes is not known yet.
        let (settings, functions, cos) = files.check()?;
        files.decide(&settings, &functions);
        telemetry::start(&settings.log);
        process::close_to_others();
        watched.watch_gateway(files, &settings).await?;
        // Files and folders that the settings name may have changed before they were watched.
        let mut gateway = Gateway::bind(files.parse_gateway()?).await?;
        let GatewayListeners { public, internal: pushes } = gateway.listeners()?;
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
        if files.has_page() {
            gateway = gateway.with_pages(page::pages());
        }
        let GatewayListeners { public, internal } = gateway.listeners()?;
        let object_store = match object_store {
            Some(store) => {
                let of_settings = |what| anyhow!("[cloud.role] of functions.toml {what}");
                let role = credential_of(&runner.role()).map_err(of_settings)?;
                Some(store.open(role).await?)
            }
            None => None,
        };
        let cos = object_store.as_ref().map(|store| store.address);
        let speaks_tls = gateway.speaks_tls();
        let listeners = Listeners { public, internal, function_runner, cos, speaks_tls };
        Ok(Self { gateway, runner, runner_listener, object_store, watched, listeners })
    }

    /// Announces the listeners, and serves until a signal, or until the future that `beside` makes
    /// ends. That future runs beside the services, and is dropped when they begin to end. After
    /// [`Ended::Forced`] the process should exit at once.
    pub(crate) async fn run<F: Future<Output = ()>>(
        self,
        files: Files,
        signals: Signals,
        beside: impl FnOnce(Listeners) -> F,
    ) -> anyhow::Result<Ended<()>> {
        let Self { mut gateway, runner, runner_listener, object_store, watched, listeners } = self;
        ready::announce(&listeners).context("could not write the ready line")?;
        let scheme = if listeners.speaks_tls { "https" } else { "http" };
        info!(
            internal = %listeners.internal, function_runner = %listeners.function_runner,
            "longhold ready: open {scheme}://{}/ in two tabs", reachable(listeners.public),
        );
        let (new_settings, gateway_changes) = mpsc::channel(1);
        gateway = gateway.with_changes(gateway_changes);
        let (new_functions, function_changes) = mpsc::channel(1);
        let beside = Box::pin(beside(listeners));
        // Boxed, because the futures are large: this one holds all settings while it sends them,
        // and those of the services all settings of the start.
        let store = object_store.as_ref().map(ObjectStore::service);
        let following =
            Box::pin(watched.follow(files, listeners, store, new_settings, new_functions));
        let both = |stop: CancellationToken| {
            let all = async move {
                // The gateway drains before the runner, because its connections need the functions
                // until their end.
                let stop_runner = CancellationToken::new();
                let runner = serve_with_changes(
                    runner,
                    runner_listener,
                    function_changes,
                    stop_runner.clone(),
                );
                // Functions may use the object store until their end.
                let stop_store = CancellationToken::new();
                let object_store = ObjectStore::serve_if_any(object_store, stop_store.clone());
                let runner = async {
                    Box::pin(runner).await;
                    stop_store.cancel();
                };
                let beside = async {
                    if stop.run_until_cancelled(beside).await.is_some() {
                        stop.cancel();
                    }
                };
                let gateway = async {
                    let ended = Box::pin(gateway.run(stop.clone())).await;
                    stop.cancel();
                    stop_runner.cancel();
                    ended
                };
                let (ended, (), (), (), ()) =
                    tokio::join!(gateway, runner, following, beside, Box::pin(object_store));
                ended
            };
            // Boxed, because the future is large: it holds all services.
            Box::pin(all)
        };
        Ok(match process::supervise(signals, both).await {
            Ended::Drained(ended) => Ended::Drained(ended?),
            Ended::Forced => Ended::Forced,
        })
    }
}

/// What functions with a role sign with, for the object store.
pub(crate) fn credential_of(role: &SecretPair) -> Result<Credential, String> {
    Credential::new(role.id(), role.key())
        .map_err(|what| format!("is no pair for the object store: it {what}"))
}

pub(crate) fn url_of(address: SocketAddr) -> Url {
    let text = format!("http://{}", reachable(address));
    Url::parse(&text).expect("an address makes a URL")
}
