//! The public listener: WebSockets by path, static pages beside them, and whether the gateway takes
//! clients, for a balancer. Says nothing else about the gateway.

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock},
};

use daemon::{
    body::RequestBody,
    health::{PUBLIC_HEALTH, PUBLIC_READINESS, health, readiness},
    http::{Body, method_not_allowed},
    path::normal,
    router::{Found, ListedPath, Router},
};
use http::{Method, Request, Response};
use tokio_util::sync::CancellationToken;

use super::pages::Pages;
use crate::{
    api::Apis,
    opening::{Connector, handshake::asks_for_websocket, refusal::Refusal},
};

/// Answers requests on the public listener.
#[derive(Debug)]
pub(crate) struct Public {
    pub(crate) apis: Apis,
    pub(crate) connector: Connector,
    pub(crate) pages: Option<Pages>,
    /// Cancelled when the gateway begins to drain.
    pub(crate) stop: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
enum Route {
    Health,
    Readiness,
    /// A path that is kept for routes to come. No API takes it.
    Reserved,
}

static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    Router::new()
        .with(PUBLIC_HEALTH, &[(Method::GET, Route::Health)])
        .with(PUBLIC_READINESS, &[(Method::GET, Route::Readiness)])
        .with_any("/~", Route::Reserved)
        .with_any("/~/{*rest}", Route::Reserved)
});

/// All paths beside those of APIs and pages.
pub(super) fn paths() -> &'static [ListedPath] {
    ROUTES.paths()
}

impl Public {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Infallible> {
        let uri = request.uri().clone();
        let path = normal(uri.path());
        if let Some(response) = self.answer_to_balancer(request.method(), &path) {
            return Ok(response);
        }
        let wants_websocket = asks_for_websocket(request.headers());
        if let Some((api, fit)) = self.apis.by_path(&path) {
            if wants_websocket {
                // Nothing can be said to a client that sends no more.
                request.body().connection().end_with_peer();
            }
            return Ok(self.connector.connect(api, fit, request).await);
        }
        let page = match &self.pages {
            Some(pages) if !wants_websocket => pages.serve(request, &path).await,
            _ => None,
        };
        Ok(page.unwrap_or_else(|| Refusal::NoSuchPath(uri.path().to_owned()).response()))
    }

    /// The answer on a path that no API and no page has.
    fn answer_to_balancer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        match ROUTES.find(method, path) {
            Found::Route(Route::Health, _) => Some(health()),
            Found::Route(Route::Readiness, _) => {
                let is_ready =
                    !self.stop.is_cancelled() && self.connector.cleanups.obstacle().is_none();
                Some(readiness(is_ready))
            }
            Found::Route(Route::Reserved, _) => Some(super::reserved()),
            Found::OtherMethods(methods) => Some(method_not_allowed(&methods)),
            Found::Nothing => None,
        }
    }
}
