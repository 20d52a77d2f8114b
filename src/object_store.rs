//! The object store, if the folder of the settings has a file for it. This file is read at the
//! start only.

use std::net::SocketAddr;

use cos::{Credential, Service, Settings, serve};
use daemon::{listen::listen, serve::Listener, tls::Tls};
use tokio_util::sync::CancellationToken;

/// The object store before anything of it is opened but the listener: functions are told the
/// address.
#[derive(Debug)]
pub(crate) struct BoundStore {
    settings: Settings,
    listener: Listener,
    pub(crate) address: SocketAddr,
}

/// The object store, with its listener open.
#[derive(Debug)]
pub(crate) struct ObjectStore {
    service: Service,
    listener: Listener,
    pub(crate) address: SocketAddr,
    /// Whether new certificates are read.
    watch: bool,
}

impl BoundStore {
    pub(crate) async fn bind(settings: Settings) -> anyhow::Result<Self> {
        let tls = settings.open_tls()?;
        let tcp = listen(settings.internal, settings.place("listen.internal")).await?;
        let address = tcp.local_addr()?;
        Ok(Self { settings, listener: Listener { tls, ..tcp.into() }, address })
    }

    pub(crate) fn speaks_tls(&self) -> bool {
        self.listener.tls.is_some()
    }

    /// Opens the store. Functions with a role have the pair `role`.
    pub(crate) async fn open(self, role: Credential) -> anyhow::Result<ObjectStore> {
        let Self { settings, listener, address } = self;
        let watch = settings.watch;
        let service = Service::open(settings, Some(role)).await?;
        Ok(ObjectStore { service, listener, address, watch })
    }
}

impl ObjectStore {
    /// A handle.
    pub(crate) fn service(&self) -> Service {
        self.service.clone()
    }

    /// Serves until `stop`.
    pub(crate) async fn serve_if_any(this: Option<Self>, stop: CancellationToken) {
        let Some(Self { service, listener, watch, .. }) = this else { return };
        let tls = listener.tls.clone();
        Tls::following(tls.as_ref(), watch, serve(service, listener, stop)).await;
    }
}
