//! The listener: which request goes where, who may send it, and the answers.

mod answer;
mod body;
mod buckets;
mod conditions;
mod content;
mod metadata;
mod objects;
mod range;
mod refused;
mod service;
mod uploads;

use std::time::Duration;

use daemon::{
    files::raise_limit,
    serve::{Listener, ServeSettings, serve as serve_http},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use tower::service_fn;
use tracing::{error, info, warn};

pub use self::service::Service;
use crate::settings::Settings;

/// Client libraries keep connections without a limit; they repeat a request on one that was closed.
const SERVE: ServeSettings = ServeSettings {
    idle_timeout: Duration::from_secs(120),
    head_timeout: Duration::from_secs(10),
    connections_max: 512,
    linger: Duration::from_millis(500),
};
/// Files for the catalog, the log, the settings, and the contents that are read and written.
const FILES_BESIDE: usize = 64 + SERVE.connections_max;
/// How long requests that run may take to end after the stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves the objects of `service` on `listener` until `stop`, and then until all requests have
/// been answered, or half a minute has passed. What has not been acknowledged by then is as if it
/// had not been asked for.
pub async fn serve(service: Service, listener: impl Into<Listener>, stop: CancellationToken) {
    let (_, no_changes) = mpsc::channel(1);
    serve_with_changes(service, listener, no_changes, stop).await;
}

/// Like [`serve`], and takes the settings that arrive on `changes` into use: credentials, and new
/// buckets.
pub async fn serve_with_changes(
    service: Service,
    listener: impl Into<Listener>,
    mut changes: mpsc::Receiver<Settings>,
    stop: CancellationToken,
) {
    raise_limit(SERVE.files_max() + FILES_BESIDE);
    let answering = {
        let (service, stop) = (service.clone(), stop.clone());
        service_fn(move |request| {
            let is_ready = !stop.is_cancelled() && service.store().may_change();
            let service = service.clone();
            async move { Ok(answer::answer(&service, is_ready, request).await) }
        })
    };
    let serving = async {
        serve_http(listener, SERVE, stop.clone(), answering).await;
        service.store().settled().await;
    };
    let following = async {
        while let Some(settings) = changes.recv().await {
            match service.take_over(settings).await {
                Ok(()) => info!("new settings are in use"),
                Err(problem) => error!("new settings are not in use: {problem}"),
            }
        }
        std::future::pending::<()>().await;
    };
    let drained = async {
        stop.cancelled().await;
        sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = serving => {}
        () = following => {}
        () = service.store().keep_epoch() => {}
        () = drained => warn!("some requests did not end in time"),
    }
}
