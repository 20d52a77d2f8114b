//! The object store, if the folder of the settings has a file for it. This file is read at the
//! start only.

use std::net::SocketAddr;

use cos::{Service, Settings, serve};
use daemon::{listen::listen, serve::Listener, tls::Tls};
use tokio_util::sync::CancellationToken;

/// The object store, with its listener open.
#[derive(Debug)]
pub(crate) struct ObjectStore {
    service: Service,
    listener: Listener,
    pub(crate) address: SocketAddr,
    /// Whether new certificates are read.
    watch: bool,
}

impl ObjectStore {
    pub(crate) async fn open(settings: Settings) -> anyhow::Result<Self> {
        let (address, place) = (settings.internal, settings.place("listen.internal"));
        let (tls, watch) = (settings.open_tls()?, settings.watch);
        let service = Service::open(settings).await?;
        let tcp = listen(address, place).await?;
        let address = tcp.local_addr()?;
        Ok(Self { service, listener: Listener { tls, ..tcp.into() }, address, watch })
    }

    /// Serves until `stop`.
    pub(crate) async fn serve_if_any(this: Option<Self>, stop: CancellationToken) {
        let Some(Self { service, listener, watch, .. }) = this else { return };
        let tls = listener.tls.clone();
        Tls::following(tls.as_ref(), watch, serve(service, listener, stop)).await;
    }
}
