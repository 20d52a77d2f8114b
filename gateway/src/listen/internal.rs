//! The internal listener: reverse push, health, and cleanups that were given up.

mod cleanups;

use std::{convert::Infallible, sync::Arc};

use batch::{ItemResponse, OFFER, VERSION, server, wire::items};
use daemon::http::{Body, full, message, method_not_allowed};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Api, Apis, Dialect},
    cleanup::Cleanups,
    dialect::{PushOutcome, PushRefusal},
    push::{PushBodies, PushBody, Pusher},
};

/// Answers requests on the internal listener.
#[derive(Debug)]
pub(crate) struct Internal {
    pub(crate) apis: Apis,
    pub(crate) pusher: Pusher,
    pub(crate) cleanups: Cleanups,
    /// Cancelled when the gateway begins to drain.
    pub(crate) stop: CancellationToken,
    pub(crate) push_bodies: PushBodies,
}

impl Internal {
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        Ok(match (path, request.method()) {
            ("/healthz", &Method::GET) => message(StatusCode::OK, "alive"),
            ("/readyz", &Method::GET) if self.stop.is_cancelled() => {
                message(StatusCode::SERVICE_UNAVAILABLE, "draining")
            }
            ("/readyz", &Method::GET) if !self.cleanups.has_journal() => {
                message(StatusCode::SERVICE_UNAVAILABLE, "the journal has broken")
            }
            ("/readyz", &Method::GET) => message(StatusCode::OK, "ready"),
            ("/healthz" | "/readyz", _) => method_not_allowed("GET"),
            (path, method) if path == "/cleanups" || path.starts_with("/cleanups/") => {
                self.cleanups(method, request.uri()).await
            }
            (_, &Method::POST) => self.push(request).await,
            _ => match self.apis.by_id(path.trim_start_matches('/')) {
                Some(_) => method_not_allowed("POST"),
                None => message(StatusCode::NOT_FOUND, "nothing here: POST to /<api id> to push"),
            },
        })
    }

    async fn push(&self, request: Request<Incoming>) -> Response<Body> {
        let id = request.uri().path().trim_start_matches('/').to_owned();
        let Some(api) = self.apis.by_id(&id) else {
            // A path of one segment is Tencent's form of a push.
            return refuse(Dialect::Tencent, PushRefusal::UnknownApi(id));
        };
        let dialect = api.config().dialect;
        let is_batch = server::is_batch(request.headers());
        let body = match self.push_bodies.read(request.into_body()).await {
            Ok(body) => body,
            Err(refusal) => return refuse(dialect, refusal),
        };
        if is_batch {
            return match items(body.bytes.clone()) {
                Ok(items) => {
                    let bodies = items.into_iter().map(|item| body.part(item.body)).collect();
                    drop(body);
                    self.push_all(&api, bodies).await
                }
                Err(error) => refuse(dialect, PushRefusal::BadRequest(error.to_string())),
            };
        }
        let outcome = self.pusher.push(&api, body).await;
        let mut response = dialect.answer_push(outcome).map(full);
        response.headers_mut().insert(OFFER, VERSION);
        response
    }

    /// Carries out a batch of pushes, each as if it had come alone.
    async fn push_all(&self, api: &Arc<Api>, bodies: Vec<PushBody>) -> Response<Body> {
        let exchanges = bodies.into_iter().map(|body| {
            let (pusher, api) = (self.pusher.clone(), Arc::clone(api));
            Box::pin(async move {
                let outcome = pusher.push(&api, body).await;
                let (head, body) = api.config().dialect.answer_push(outcome).into_parts();
                ItemResponse { status: head.status.as_u16(), body }
            }) as BoxFuture<'static, ItemResponse>
        });
        server::answer(exchanges).await
    }
}

fn refuse(dialect: Dialect, refusal: PushRefusal) -> Response<Body> {
    dialect.answer_push(PushOutcome::Refused(refusal)).map(full)
}
