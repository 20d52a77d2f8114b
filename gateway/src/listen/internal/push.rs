//! Pushes: `POST /<api id>`, alone or in a batch.

use std::sync::Arc;

use batch::{ItemResponse, OFFER, VERSION, server, wire::items};
use daemon::{
    body::{HeldBody, RequestBody},
    http::{Body, full, method_not_allowed},
};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response};

use super::Internal;
use crate::{
    api::{Api, Dialect},
    dialect::{PushOutcome, PushRefusal},
};

impl Internal {
    /// Answers a request for the path of the API `id`.
    pub(super) async fn api(&self, id: &str, request: Request<RequestBody>) -> Response<Body> {
        match (self.apis.by_id(id), request.method()) {
            (Some(api), &Method::POST) => self.push(&api, request).await,
            (None, &Method::POST) => {
                refuse(Dialect::of_unknown_api(), PushRefusal::UnknownApi(id.to_owned()))
            }
            (Some(_), _) => method_not_allowed("POST"),
            (None, _) => super::nothing(),
        }
    }

    async fn push(&self, api: &Arc<Api>, request: Request<RequestBody>) -> Response<Body> {
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
                    self.push_all(api, bodies).await
                }
                Err(error) => refuse(dialect, PushRefusal::BadRequest(error.to_string())),
            };
        }
        let outcome = self.pusher.push(api, body).await;
        let mut response = dialect.answer_push(outcome).map(full);
        response.headers_mut().insert(OFFER, VERSION);
        response
    }

    /// Carries out each push of a batch as if it had come alone.
    async fn push_all(&self, api: &Arc<Api>, bodies: Vec<HeldBody>) -> Response<Body> {
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
