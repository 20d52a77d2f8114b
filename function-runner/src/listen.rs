//! The internal listener: its routes, and the shutdown in the right order.

mod routes;

mod action;
mod batch;
mod bodies;
mod drain;
mod invoke;
mod logs;

use std::time::Duration;

use daemon::{
    browser::PageGuard,
    files::raise_limit,
    serve::{Listener, ServeSettings, serve as serve_http},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use self::routes::paths;
use self::{bodies::Bodies, logs::Followers};
use crate::{runner::Runner, settings::Settings};

/// HTTP clients keep pooled connections for up to 90 s (the gateway does). The client has to be
/// the one that closes first: a server that closes cannot know whether a request is on its way.
const SERVE: ServeSettings = ServeSettings {
    idle_timeout: Duration::from_secs(120),
    head_timeout: Duration::from_secs(10),
    connections_max: 16_384,
    linger: Duration::from_millis(500),
};
/// Files for what watches the code, the log, and everything else.
const FILES_BESIDE: usize = 64;
/// How long a request waits for memory for its body.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(1);
/// How long answers may take to be written after the last function has ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves the functions of `runner` on `listener` until `stop`, then drains: from then on `/readyz`
/// is answered with 503. So are new invocations, when `drain.delay` has passed and no caller
/// drains. Running invocations have the drain timeout to end. Invocations that
/// have not ended by then are dropped and answered with 439. Returns when all functions and
/// connections have ended.
pub async fn serve(runner: Runner, listener: impl Into<Listener>, stop: CancellationToken) {
    let (_, no_changes) = mpsc::channel(1);
    serve_with_changes(runner, listener, no_changes, stop).await;
}

/// Like [`serve`], and takes the settings that arrive on `changes` into use. A function that they
/// do not change stays as it is. Of a function that they change, the new code is started first. If
/// it starts, the new function replaces the old one, which ends with its last invocation.
pub async fn serve_with_changes(
    runner: Runner,
    listener: impl Into<Listener>,
    changes: mpsc::Receiver<Settings>,
    stop: CancellationToken,
) {
    raise_limit(SERVE.files_max() + runner.files_of_processes() + FILES_BESIDE);
    runner.keep_warm();
    let followers = Followers::new();
    let close = CancellationToken::new();
    let bodies = Bodies::new(runner.body_memory());
    let _named = action::answer_by_name(&runner, &bodies);
    let guard = PageGuard::new(runner.internal_pages());
    let service = routes::service(guard, runner.clone(), bodies, followers.clone(), close.clone());
    let serving = serve_http(listener, SERVE, close.clone(), service);
    let shutdown = async {
        runner.run(changes, stop).await;
        followers.end();
        close.cancel();
        sleep(CLOSE_TIMEOUT).await;
    };
    // The listener stays open during the drain, so that new requests are answered with 503.
    tokio::select! {
        () = serving => {}
        () = shutdown => warn!("some connections did not end in time"),
    }
}
