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

    /// Opens the store. If it asks for signatures, it takes those with `of_role` too, which the
    /// functions with a role have.
    pub(crate) async fn open(self, of_role: Credential) -> anyhow::Result<ObjectStore> {
        let Self { mut settings, listener, address } = self;
        if !settings.credentials.is_empty() {
            settings.credentials.push(of_role);
        }
        let watch = settings.watch;
        let service = Service::open(settings).await?;
        Ok(ObjectStore { service, listener, address, watch })
    }
}

impl ObjectStore {
    /// Serves until `stop`.
    pub(crate) async fn serve_if_any(this: Option<Self>, stop: CancellationToken) {
        let Some(Self { service, listener, watch, .. }) = this else { return };
        let tls = listener.tls.clone();
        Tls::following(tls.as_ref(), watch, serve(service, listener, stop)).await;
    }
}
