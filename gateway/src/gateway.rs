//! The gateway as a whole: opens its listeners, runs, drains.

mod drain;
mod error;
mod files;
mod journal_command;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use daemon::{
    browser::PageGuard,
    credentials::{Credentials, Gate},
    listen::listen,
    proxies::Proxies,
    serve::{Listener, ServeSettings, serve},
    tls::{OutboundTls, Tls},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::service_fn;
use tracing::info;
use url::Url;

use self::{drain::Drain, files::files_needed};
pub use self::{error::GatewayError, journal_command::JournalCommand};
pub use crate::cleanup::journal::{Damage, JournalOpenError, Loss};
use crate::{
    api::Apis,
    call::FunctionClient,
    cleanup::Cleanups,
    cleanup::journal::Journal,
    connection::ReceiveMemory,
    identity::{Identification, KeySets},
    listen::internal::Internal,
    listen::pages::Pages,
    listen::public::Public,
    opening::Connector,
    push::{PushBodies, PushTokens, Pusher},
    registry::Registry,
    reload::ApiReload,
    settings::Settings,
};

/// A client that does not send the rest of a request head within this time is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const PUBLIC: ServeSettings = ServeSettings {
    idle_timeout: HEAD_TIMEOUT,
    head_timeout: HEAD_TIMEOUT,
    connections_max: 2048,
    linger: Duration::ZERO,
};
/// Functions keep connections in a pool for 90 s (reqwest) or less. The gateway must not close them
/// first.
const INTERNAL: ServeSettings = ServeSettings {
    idle_timeout: Duration::from_secs(120),
    head_timeout: HEAD_TIMEOUT,
    connections_max: 4096,
    linger: Duration::ZERO,
};
/// How long the listeners may take for their last responses, and clients to end their streams.
const LISTENERS_TIMEOUT: Duration = Duration::from_secs(2);

/// A gateway whose listeners are open. Their addresses are known, and no request is answered yet.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    credentials: Credentials,
    pages: Option<Pages>,
    tls: Option<Tls>,
    internal_tls: Option<Tls>,
    outbound_tls: Option<OutboundTls>,
    public: TcpListener,
    internal: TcpListener,
    journal: Journal,
    changes: Option<mpsc::Receiver<Settings>>,
}

/// Where a gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Listeners {
    /// WebSocket clients and static pages.
    pub public: SocketAddr,
    /// Reverse push and health.
    pub internal: SocketAddr,
}

impl Gateway {
    /// Reads the certificates and the tokens, and opens the listeners and the journal.
    pub async fn bind(settings: Settings) -> Result<Self, GatewayError> {
        let origins = &settings.origins;
        let tls = Tls::open(&settings.tls, "tls", origins)?;
        let internal_tls = Tls::open(&settings.internal_tls, "internal_tls", origins)?;
        let outbound_tls = OutboundTls::open(&settings.outbound_tls, "outbound_tls", origins)?;
        let public = listen(settings.public, settings.place("listen.public")).await?;
        let internal = listen(settings.internal, settings.place("listen.internal")).await?;
        let pages = settings.pages.as_deref().map(Pages::folder);
        let credentials = settings.access.open(&settings.origins)?;
        if settings.push.trusts_this_machine() {
            info!(
                "push.auth is \"loopback\": every process of this machine may push without a token, \
                 each function, each local user and a proxy on this machine"
            );
        }
        let journal = Journal::open(&settings.journal)?;
        Ok(Self {
            settings,
            credentials,
            pages,
            tls,
            internal_tls,
            outbound_tls,
            public,
            internal,
            journal,
            changes: None,
        })
    }

    /// Serves these pages and not the folder in the settings.
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = Some(pages);
        self
    }

    /// Calls functions given by name at this runner and not at the one in the settings.
    pub fn with_runner(mut self, runner: Url) -> Self {
        self.settings.runner = runner;
        self
    }

    /// Uses the settings that arrive in `changes` while the gateway runs. APIs are added, changed
    /// and removed, and open connections stay open. Other changes need a restart, which the log
    /// says.
    pub fn with_changes(mut self, changes: mpsc::Receiver<Settings>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// The addresses of the listeners, with the ports that the system chose.
    pub fn listeners(&self) -> io::Result<Listeners> {
        Ok(Listeners { public: self.public.local_addr()?, internal: self.internal.local_addr()? })
    }

    /// Whether the public listener speaks TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether the internal listener speaks TLS.
    pub fn speaks_internal_tls(&self) -> bool {
        self.internal_tls.is_some()
    }

    /// Runs until `stop`, then drains within the drain timeout: connections are closed, their calls
    /// end and cleanups are delivered.
    pub async fn run(self, stop: CancellationToken) -> Result<(), GatewayError> {
        let Self { settings, credentials, pages, public, internal, journal, changes, .. } = self;
        let Self { tls, internal_tls, outbound_tls, .. } = self;
        daemon::files::raise_limit(files_needed(
            &settings,
            matches!(pages, Some(Pages::Folder(_))),
        ));
        let start = settings.clone();
        let (authorization, peers) = (credentials.service.bearer(), settings.access.peers());
        let functions = FunctionClient::new(&settings.runner, authorization, &peers)?
            .with_tls(outbound_tls.clone());
        let apis = Apis::new(settings.apis, settings.runner);
        functions.prepare(&apis.addresses())?;
        let key_sets = KeySets::new(outbound_tls.clone());
        let identification = Identification::new(key_sets, settings.own_site);
        identification.key_sets.follow(&start.apis)?;
        let registry = Registry::default();
        let cleanups = Cleanups::new(functions.clone(), journal.clone(), settings.cleanup);
        cleanups.report_owed(&apis).await;
        cleanups.take_up(&apis);
        cleanups.give_up_unserved(&apis);
        let push_tokens = PushTokens::new(settings.push_tokens);
        let reload = ApiReload {
            apis: apis.clone(),
            functions: functions.clone(),
            cleanups: cleanups.clone(),
            key_sets: identification.key_sets.clone(),
            push_tokens: push_tokens.clone(),
            settings: start,
        };
        let receive_memory = settings.connection.receive_memory(&reload.settings.apis);
        let (connections, lingering) = (TaskTracker::new(), TaskTracker::new());
        let connector = Connector {
            node: node_tag(settings.node),
            permits: Arc::new(Semaphore::new(settings.connection.max)),
            memory: ReceiveMemory::new(receive_memory),
            settings: Arc::new(settings.connection),
            functions,
            identification: identification.clone(),
            cleanups: cleanups.clone(),
            registry: registry.clone(),
            tasks: connections.clone(),
            lingering: lingering.clone(),
        };
        let push_bodies = PushBodies::new(&settings.push);
        let internals = Arc::new(Internal {
            guard: PageGuard::new(settings.internal_pages),
            gate: Gate::new(credentials),
            push_tokens,
            trusts_this_machine: settings.push.trusts_this_machine(),
            apis: apis.clone(),
            pusher: Pusher::new(registry.clone(), push_bodies.clone(), settings.push),
            push_bodies,
            cleanups: cleanups.clone(),
            stop: stop.clone(),
        });
        let (served, runner) = (apis.clone(), connector.functions.clone());
        let publics = Arc::new(Public { apis, connector, pages, stop: stop.clone() });

        let listeners = TaskTracker::new();
        if let Some(changes) = changes {
            listeners.spawn(stop.clone().run_until_cancelled_owned(reload.follow(changes)));
        }
        for tls in [tls.clone(), internal_tls.clone()].into_iter().flatten() {
            let following = async move { tls.follow(settings.watch).await };
            listeners.spawn(stop.clone().run_until_cancelled_owned(following));
        }
        if let Some(tls) = tls.clone() {
            let outbound = outbound_tls.clone();
            let ordering = async move { tls.order(outbound.as_ref()).await };
            listeners.spawn(stop.clone().run_until_cancelled_owned(ordering));
        }
        if let Some(tls) = outbound_tls {
            let following = async move { tls.follow(settings.watch).await };
            listeners.spawn(stop.clone().run_until_cancelled_owned(following));
        }
        let public_service = service_fn(move |request| Arc::clone(&publics).answer(request));
        let close_public = CancellationToken::new();
        let stop_public = close_public.clone();
        let public = Listener { tcp: public, tls, proxies: Proxies::new(settings.proxies) };
        listeners.spawn(serve(public, PUBLIC, stop_public, public_service));
        // The internal listener stays open while connections drain, because their functions push to
        // it.
        let close_internal = CancellationToken::new();
        let internal_service = service_fn(move |request| Arc::clone(&internals).answer(request));
        let internal = Listener { tcp: internal, tls: internal_tls, proxies: Proxies::default() };
        listeners.spawn(serve(internal, INTERNAL, close_internal.clone(), internal_service));

        stop.cancelled().await;
        let settings = settings.drain;
        let drain = Drain {
            settings,
            connections,
            registry,
            cleanups,
            journal: journal.clone(),
            close_public,
        };
        let addresses = served.addresses();
        let drained = tokio::select! {
            drained = drain.run() => drained,
            never = runner.announce_drain(&addresses) => match never {},
        };
        close_internal.cancel();
        listeners.close();
        lingering.close();
        // A response that is not finished by now is cut off. Nothing is lost with it. A client that
        // has not ended its stream by now may lose what it has not read.
        let ended = async { tokio::join!(listeners.wait(), lingering.wait()) };
        let _ = timeout(LISTENERS_TIMEOUT, ended).await;
        identification.key_sets.stop().await;
        journal.close().await;
        drained?;
        info!("gateway stopped");
        Ok(())
    }
}

fn node_tag(node: u32) -> [u8; 3] {
    let [_, tag @ ..] = node.to_be_bytes();
    tag
}
