//! The gateway as a whole: its doors are opened, it runs, it drains.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use daemon::{
    files,
    serve::{ServeSettings, serve},
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::service_fn;
use tracing::info;
use url::Url;

use crate::{
    api::Apis, calls::Caller, cleanup::Cleanups, connect::Connector, end::End, internal::Internal,
    pages::Pages, public::Public, push::Pusher, registry::Registry, settings::Settings,
};

/// A client that sends no whole request head for this long is closed.
const PUBLIC: ServeSettings = ServeSettings {
    head_timeout: Duration::from_secs(10),
    connections_max: 2048,
    linger: Duration::ZERO,
};
/// Functions pool their connections for 90 s (reqwest) or less, and must not meet closed ones.
const INTERNAL: ServeSettings = ServeSettings {
    head_timeout: Duration::from_secs(120),
    connections_max: 4096,
    linger: Duration::ZERO,
};
/// Files for handshakes, calls of functions, pushes and whatever else.
const FILES_BESIDE_CONNECTIONS: usize = 4096;
/// The share of the drain timeout in which what clients have sent is still forwarded. What is
/// left has to do for the calls that are in flight then, and for cleanups.
const FORWARDING_SHARE: f32 = 0.3;
/// How long answers on their way out have when all else is done.
const DOORS_TIMEOUT: Duration = Duration::from_secs(2);

/// A gateway whose doors are open: addresses are known, but nobody is answered yet.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    pages: Option<Pages>,
    public: TcpListener,
    internal: TcpListener,
}

/// Where a gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Doors {
    /// WebSocket clients and static pages.
    pub public: SocketAddr,
    /// Reverse push and health.
    pub internal: SocketAddr,
}

/// The gateway could not start, run or end as it should.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// An address could not be listened on.
    #[error("could not listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The HTTP client for calling functions could not be made.
    #[error("could not set up the HTTP client")]
    Client(#[from] reqwest::Error),
    /// The drain timeout passed.
    #[error(
        "drain timed out with {connections} connections and {cleanups} cleanups left: what they \
         owed is lost"
    )]
    DrainTimedOut {
        /// Connections that had not ended.
        connections: usize,
        /// Cleanups that had not been delivered.
        cleanups: usize,
    },
}

impl Gateway {
    /// Opens the doors.
    pub async fn bind(settings: Settings) -> Result<Self, GatewayError> {
        let public = listen(settings.public).await?;
        let internal = listen(settings.internal).await?;
        let pages = settings.pages.as_deref().map(Pages::folder);
        Ok(Self { settings, pages, public, internal })
    }

    /// Serves these pages instead of the configured folder.
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = Some(pages);
        self
    }

    /// Calls functions by name at this runner instead of the configured one.
    pub fn with_runner(mut self, runner: Url) -> Self {
        self.settings.runner = runner;
        self
    }

    /// Where it listens, with the ports that the system chose.
    pub fn doors(&self) -> io::Result<Doors> {
        Ok(Doors { public: self.public.local_addr()?, internal: self.internal.local_addr()? })
    }

    /// Runs until `stop`, then drains: connections are closed, their functions end, cleanups are
    /// delivered; all that within the drain timeout.
    pub async fn run(self, stop: CancellationToken) -> Result<(), GatewayError> {
        let Self { settings, pages, public, internal } = self;
        files::raise_limit(settings.connection.max + FILES_BESIDE_CONNECTIONS);
        let apis = Apis::new(settings.apis, &settings.runner, settings.cleanup.concurrency);
        let caller = Caller::new(&apis.functions())?;
        let registry = Registry::default();
        let cleanups = Cleanups::new(caller.clone(), &settings.cleanup);
        let connections = TaskTracker::new();
        let connector = Connector {
            node: node_tag(settings.node),
            room: Arc::new(Semaphore::new(settings.connection.max)),
            settings: Arc::new(settings.connection),
            caller,
            cleanups: cleanups.clone(),
            registry: registry.clone(),
            tasks: connections.clone(),
        };
        let internals = Arc::new(Internal {
            apis: apis.clone(),
            push_bytes_max: settings.push.max_body,
            pusher: Pusher::new(registry.clone(), settings.push),
            registry: registry.clone(),
        });
        let publics = Arc::new(Public { apis, connector, pages });

        let doors = TaskTracker::new();
        let public_service = service_fn(move |request| Arc::clone(&publics).answer(request));
        doors.spawn(serve(public, PUBLIC, stop.clone(), public_service));
        // The internal door stays open while connections drain: their functions push through it.
        let close_internal = CancellationToken::new();
        let internal_service = service_fn(move |request| Arc::clone(&internals).answer(request));
        doors.spawn(serve(internal, INTERNAL, close_internal.clone(), internal_service));

        stop.cancelled().await;
        info!(connections = connections.len(), "gateway draining");
        registry.drain(End::DRAIN);
        cleanups.hurry();
        connections.close();
        let give_up = Instant::now() + settings.drain_timeout;
        // A part of the time belongs to the cleanups, however much clients have sent.
        let cut = Instant::now() + settings.drain_timeout.mul_f32(FORWARDING_SHARE);
        if timeout_at(cut, connections.wait()).await.is_err() {
            registry.cut();
        }
        let settled = async {
            connections.wait().await;
            cleanups.settled().await;
        };
        let settled = timeout_at(give_up, settled).await;
        close_internal.cancel();
        doors.close();
        // Whoever is still being answered had their time: nothing is lost with them.
        let _ = timeout(DOORS_TIMEOUT, doors.wait()).await;
        if settled.is_err() {
            let (connections, cleanups) = (connections.len(), cleanups.pending());
            return Err(GatewayError::DrainTimedOut { connections, cleanups });
        }
        info!("gateway stopped");
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, GatewayError> {
    TcpListener::bind(address).await.map_err(|error| GatewayError::Listen(address, error))
}

fn node_tag(node: u32) -> [u8; 3] {
    let [_, tag @ ..] = node.to_be_bytes();
    tag
}
