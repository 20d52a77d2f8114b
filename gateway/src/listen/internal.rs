//! The internal listener: pushes, health, and cleanups that were given up.

mod access;
mod cleanups;
mod push;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use daemon::{
    body::RequestBody,
    browser::PageGuard,
    credentials::{Denial, Gate, challenge},
    health::{health, readiness},
    http::{Body, message, method_not_allowed},
    path::normal,
    router::{Found, ListedPath, Router},
    serve::PeerAddress,
};
use http::{Method, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;

use self::access::Access;
use crate::{
    api::Apis,
    cleanup::Cleanups,
    push::{PushBodies, PushTokens, Pusher},
};

/// Answers requests on the internal listener.
#[derive(Debug)]
pub(crate) struct Internal {
    pub(crate) guard: PageGuard,
    pub(crate) gate: Gate,
    pub(crate) push_tokens: PushTokens,
    /// Whether a push from this machine needs no token.
    pub(crate) trusts_this_machine: bool,
    pub(crate) apis: Apis,
    pub(crate) pusher: Pusher,
    pub(crate) cleanups: Cleanups,
    /// Cancelled when the gateway begins to drain.
    pub(crate) stop: CancellationToken,
    pub(crate) push_bodies: PushBodies,
}

#[derive(Debug, Clone, Copy)]
enum Route {
    Health,
    Readiness,
    Cleanups,
    Cleanup,
    RetryCleanup,
    /// A path below `/cleanups/` that has no route.
    UnknownCleanup,
    /// The path of an API, if there is one with this id.
    Api,
    /// The same, with a token in the path.
    ApiByToken,
    /// A path that is kept for routes to come. No id of an API begins with `~`.
    Reserved,
}

static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    Router::new()
        .with("/healthz", &[(Method::GET, Route::Health)])
        .with("/readyz", &[(Method::GET, Route::Readiness)])
        .with("/cleanups", &[(Method::GET, Route::Cleanups)])
        .with_any("/cleanups/{id}", Route::Cleanup)
        .with_any("/cleanups/{id}/{*rest}", Route::UnknownCleanup)
        .with("/cleanups/{id}/retry", &[(Method::POST, Route::RetryCleanup)])
        .with_any("/~", Route::Reserved)
        .with_any("/~/{*rest}", Route::Reserved)
        .with_any("/~/t/{token}/{*id}", Route::ApiByToken)
        .with_any("/", Route::Api)
        .with_any("/{*id}", Route::Api)
});

/// All paths of the internal listener.
pub(super) fn paths() -> &'static [ListedPath] {
    ROUTES.paths()
}

impl Internal {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Infallible> {
        if let Some(refused) = self.guard.refuse(&request) {
            return Ok(refused);
        }
        let path = normal(request.uri().path()).into_owned();
        let found = ROUTES.find(request.method(), &path);
        let (access, [id, token]) = match &found {
            Found::Route(route, parameters) => {
                let [id, token] = ["id", "token"].map(|name| parameters.get(name));
                (route.access(), [id, token].map(Option::unwrap_or_default))
            }
            // A caller without a token does not learn which routes there are.
            Found::OtherMethods(_) | Found::Nothing => (Access::Known, [""; 2]),
        };
        let source = match self.admit(access, [id, token], &request) {
            Ok(source) => source,
            Err(denial) => {
                let PeerAddress(peer) = *request
                    .extensions()
                    .get()
                    .expect("the listener puts the address into every request");
                return Ok(self.refuse(access, peer, [&path, id], &denial));
            }
        };
        let route = match found {
            Found::Route(route, _) => route,
            Found::OtherMethods(methods) => return Ok(method_not_allowed(&methods)),
            Found::Nothing => return Ok(nothing()),
        };
        Ok(match route {
            Route::Health => health(),
            Route::Readiness => readiness(self.is_ready()),
            Route::Cleanups => self.list_cleanups(request.uri().query()).await,
            Route::Cleanup => self.cleanup(request.method(), id).await,
            Route::RetryCleanup => self.retry_cleanup(id).await,
            Route::UnknownCleanup => cleanups::nothing(),
            Route::Api | Route::ApiByToken => self.api(id, source, request).await,
            Route::Reserved => super::reserved(),
        })
    }

    /// The answer to `peer`, which may not use the route of `path`. `id` is that of the API in it.
    fn refuse(
        &self,
        access: Access,
        peer: SocketAddr,
        [path, id]: [&str; 2],
        denial: &Denial,
    ) -> Response<Body> {
        match access {
            Access::Push | Access::PushToken => {
                self.gate.log(peer, path, denial);
                challenge(self.unauthorized(id, denial))
            }
            Access::Anybody | Access::Operator | Access::Known => {
                self.gate.refuse(peer, path, denial)
            }
        }
    }

    /// Whether the gateway takes new connections. The log says why not.
    fn is_ready(&self) -> bool {
        !self.stop.is_cancelled() && self.cleanups.obstacle().is_none()
    }
}

fn nothing() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing here: POST to /<api id> to push")
}
