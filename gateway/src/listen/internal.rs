//! The internal listener: pushes, health, and cleanups that were given up.

mod access;
mod cleanups;
mod push;

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock},
};

use daemon::{
    body::RequestBody,
    browser::PageGuard,
    credentials::{Gate, challenge},
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
    /// The path of an API, if there is one with this id. What is sent there is a push.
    Api(TokenPlace),
    Own(OwnRoute),
}

/// Where a push has its token.
#[derive(Debug, Clone, Copy)]
enum TokenPlace {
    Header,
    Path,
}

/// A route that is not for pushes.
#[derive(Debug, Clone, Copy)]
enum OwnRoute {
    Health,
    Readiness,
    Cleanups,
    Cleanup,
    RetryCleanup,
    /// A path below `/cleanups/` that has no route.
    UnknownCleanup,
    /// A path that is kept for routes to come. No id of an API begins with `~`.
    Reserved,
}

static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    use OwnRoute::{Cleanup, Cleanups, Health, Readiness, Reserved, RetryCleanup, UnknownCleanup};
    Router::new()
        .with("/healthz", &[(Method::GET, Route::Own(Health))])
        .with("/readyz", &[(Method::GET, Route::Own(Readiness))])
        .with("/cleanups", &[(Method::GET, Route::Own(Cleanups))])
        .with_any("/cleanups/{id}", Route::Own(Cleanup))
        .with_any("/cleanups/{id}/{*rest}", Route::Own(UnknownCleanup))
        .with("/cleanups/{id}/retry", &[(Method::POST, Route::Own(RetryCleanup))])
        .with_any("/~", Route::Own(Reserved))
        .with_any("/~/{*rest}", Route::Own(Reserved))
        .with_any("/~/t/{token}/{*id}", Route::Api(TokenPlace::Path))
        .with_any("/", Route::Api(TokenPlace::Header))
        .with_any("/{*id}", Route::Api(TokenPlace::Header))
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
        Ok(match ROUTES.find(request.method(), &path) {
            Found::Route(Route::Api(place), parameters) => {
                let [id, token] = ["id", "token"].map(|name| parameters.get(name));
                let [id, token] = [id, token].map(Option::unwrap_or_default);
                match self.admit_push(place, [id, token], &request) {
                    Ok(source) => self.api(id, source, request).await,
                    Err(denial) => {
                        let peer = PeerAddress::of(request.extensions());
                        self.gate.log(peer, &path, &denial);
                        challenge(self.unauthorized(id, &denial))
                    }
                }
            }
            Found::Route(Route::Own(route), parameters) => {
                match self.refusal(route.access(), &path, &request) {
                    Some(refusal) => refusal,
                    None => self.own(route, parameters.get("id"), &request).await,
                }
            }
            // A caller without a token does not learn which routes there are.
            Found::OtherMethods(methods) => self
                .refusal(Access::Known, &path, &request)
                .unwrap_or_else(|| method_not_allowed(&methods)),
            Found::Nothing => self.refusal(Access::Known, &path, &request).unwrap_or_else(nothing),
        })
    }

    /// The answer to a request whose caller may not use a route with this access.
    fn refusal(
        &self,
        access: Access,
        path: &str,
        request: &Request<RequestBody>,
    ) -> Option<Response<Body>> {
        let denial = self.admit(access, request).err()?;
        Some(self.gate.refuse(PeerAddress::of(request.extensions()), path, &denial))
    }

    async fn own(
        &self,
        route: OwnRoute,
        id: Option<&str>,
        request: &Request<RequestBody>,
    ) -> Response<Body> {
        let id = id.unwrap_or_default();
        match route {
            OwnRoute::Health => health(),
            OwnRoute::Readiness => readiness(self.is_ready()),
            OwnRoute::Cleanups => self.list_cleanups(request.uri().query()).await,
            OwnRoute::Cleanup => self.cleanup(request.method(), id).await,
            OwnRoute::RetryCleanup => self.retry_cleanup(id).await,
            OwnRoute::UnknownCleanup => cleanups::nothing(),
            OwnRoute::Reserved => super::reserved(),
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
