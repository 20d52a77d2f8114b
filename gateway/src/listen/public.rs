//! The public listener: WebSockets by path, static pages beside them.

use std::{convert::Infallible, sync::Arc};

use daemon::{body::RequestBody, http::Body};
use http::{Request, Response};

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
}

impl Public {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path().to_owned();
        let wants_websocket = asks_for_websocket(request.headers());
        if let Some((api, parameters)) = self.apis.by_path(&path) {
            if wants_websocket {
                // Nothing can be said to a client that sends no more.
                request.body().connection().end_with_peer();
            }
            return Ok(self.connector.connect(api, parameters, request).await);
        }
        let page = match &self.pages {
            Some(pages) if !wants_websocket => pages.serve(request).await,
            _ => None,
        };
        Ok(page.unwrap_or_else(|| Refusal::NoSuchPath(path).response()))
    }
}
