//! The internal listener: pushes, health, and cleanups that were given up.

mod cleanups;
mod push;

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock},
};

use daemon::{
    body::RequestBody,
    browser::PageGuard,
    health::{health, readiness},
    http::{Body, message, method_not_allowed},
    path::normal,
    router::{Found, Router},
};
use http::{Method, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::{
    api::Apis,
    cleanup::Cleanups,
    push::{PushBodies, Pusher},
};

/// Answers requests on the internal listener.
#[derive(Debug)]
pub(crate) struct Internal {
    pub(crate) guard: PageGuard,
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
        .with_any("/", Route::Api)
        .with_any("/{*id}", Route::Api)
});

impl Internal {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Infallible> {
        if let Some(refused) = self.guard.refuse(&request) {
            return Ok(refused);
        }
        let (route, id) = match ROUTES.find(request.method(), &normal(request.uri().path())) {
            Found::Route(route, parameters) => {
                (route, parameters.get("id").unwrap_or_default().to_owned())
            }
            Found::OtherMethods(methods) => return Ok(method_not_allowed(&methods)),
            Found::Nothing => return Ok(nothing()),
        };
        Ok(match route {
            Route::Health => health(),
            Route::Readiness => readiness(self.obstacle()),
            Route::Cleanups => self.list_cleanups(request.uri().query()).await,
            Route::Cleanup => self.cleanup(request.method(), &id).await,
            Route::RetryCleanup => self.retry_cleanup(&id).await,
            Route::UnknownCleanup => cleanups::nothing(),
            Route::Api => self.api(&id, request).await,
            Route::Reserved => super::reserved(),
        })
    }

    /// Why the gateway takes no new connections.
    fn obstacle(&self) -> Option<&'static str> {
        if self.stop.is_cancelled() { Some("draining") } else { self.cleanups.obstacle() }
    }
}

fn nothing() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing here: POST to /<api id> to push")
}
