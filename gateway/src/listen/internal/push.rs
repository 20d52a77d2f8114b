//! Pushes: `POST /<api id>`, alone or in a batch.

use std::{
    iter, mem,
    sync::{Arc, Mutex},
};

use batch::{ItemResponse, OFFER, VERSION, server};
use daemon::{
    body::{AnswerHold, HeldBody, HttpConnection, RequestBody},
    credentials::Denial,
    http::{Body, full, method_not_allowed},
    offload::offload,
};
use futures_util::{future::BoxFuture, stream};
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};

use super::Internal;
use crate::{
    api::{Dialect, PushTarget},
    dialect::{PushOutcome, PushRefusal},
    push::{BatchPush, HeldPush, PushSource},
};

/// Bytes of a long answer that are handed over at once.
const PART_BYTES: usize = 16 << 10;

/// What a long answer holds until it has been written.
type Held = (HeldPush, (AnswerHold, Option<AnswerHold>));

impl Internal {
    /// Answers a request for the path of the API `id`.
    pub(super) async fn api(
        &self,
        id: &str,
        source: PushSource,
        request: Request<RequestBody>,
    ) -> Response<Body> {
        match (self.apis.by_push_id(id), request.method()) {
            (Some(target), &Method::POST) => self.push(&target, source, request).await,
            (None, &Method::POST) => {
                refuse(Dialect::of_unknown_api(), PushRefusal::UnknownApi(id.to_owned()))
            }
            (Some(_), _) => method_not_allowed("POST"),
            (None, _) => super::nothing(),
        }
    }

    /// The answer to a push to the API `id` that is denied.
    pub(super) fn unauthorized(&self, id: &str, denial: &Denial) -> Response<Body> {
        let target = self.apis.by_push_id(id);
        let dialect =
            target.map_or_else(Dialect::of_unknown_api, |target| target.api().config().dialect);
        refuse(dialect, PushRefusal::Unauthorized(denial.to_string()))
    }

    async fn push(
        &self,
        target: &PushTarget,
        source: PushSource,
        request: Request<RequestBody>,
    ) -> Response<Body> {
        let dialect = target.api().config().dialect;
        let is_batch = server::is_batch(request.headers());
        let connection = request.body().connection();
        let mut body = match self.push_bodies.read(source, request).await {
            Ok(body) => body,
            Err(refusal) => return refuse(dialect, refusal),
        };
        if is_batch {
            return match self.pusher.read_batch(target, mem::take(&mut body.bytes)).await {
                Ok(pushes) => self.push_all(target, body, pushes, connection).await,
                Err(error) => refuse(dialect, PushRefusal::BadRequest(error.to_string())),
            };
        }
        let mut push = HeldPush::from(body);
        let answer = answer(dialect, self.pusher.push(target, &mut push).await).await;
        let hold = || {
            let hold = self.push_bodies.hold(&push, connection);
            (push, hold)
        };
        let mut response = in_parts(answer, hold);
        response.headers_mut().insert(OFFER, VERSION);
        response
    }

    /// Carries out each push of a batch as if it had come alone.
    async fn push_all(
        &self,
        target: &PushTarget,
        mut body: HeldBody,
        pushes: Vec<BatchPush>,
        connection: HttpConnection,
    ) -> Response<Body> {
        // Pushes that have not begun have memory too, and none of them begins while the peer does
        // not read.
        let hold = self.push_bodies.hold_body(&body, connection.clone());
        let held = Arc::new(Mutex::new(Vec::<Held>::new()));
        let of_exchanges = Arc::clone(&held);
        let exchanges = pushes.into_iter().map(move |BatchPush { bytes, asked }| {
            let mut push = HeldPush::from(body.part(bytes));
            let (pusher, target) = (self.pusher.clone(), target.clone());
            let (bodies, connection) = (self.push_bodies.clone(), connection.clone());
            let held = Arc::clone(&of_exchanges);
            Box::pin(async move {
                let outcome = pusher.carry_out(&target, asked, &mut push).await;
                let (head, answer) =
                    answer(target.api().config().dialect, outcome).await.into_parts();
                if answer.len() > PART_BYTES {
                    let hold = bodies.hold(&push, connection);
                    held.lock().expect("nothing panics with the lock held").push((push, hold));
                }
                ItemResponse { status: head.status.as_u16(), body: answer }
            }) as BoxFuture<'static, ItemResponse>
        });
        server::answer(exchanges).await.map(|body| {
            let frames = body.map_frame(move |frame| {
                let _kept = (&hold, &held);
                frame
            });
            frames.boxed_unsync()
        })
    }
}

/// The answer to a push.
async fn answer(dialect: Dialect, outcome: PushOutcome) -> Response<Bytes> {
    offload(outcome.answer_bytes(), move || dialect.answer_push(outcome)).await
}

/// An answer. A long one is handed over in parts as the client reads. It keeps its memory to the
/// end, since the parts are of one piece of memory.
fn in_parts(answer: Response<Bytes>, hold: impl FnOnce() -> Held) -> Response<Body> {
    let (mut head, mut answer) = answer.into_parts();
    if answer.len() <= PART_BYTES {
        return Response::from_parts(head, full(answer));
    }
    head.headers.insert(header::CONTENT_LENGTH, answer.len().into());
    let held = hold();
    let parts = iter::from_fn(move || {
        let _kept = &held;
        (!answer.is_empty()).then(|| answer.split_to(answer.len().min(PART_BYTES)))
    });
    let parts = stream::iter(parts.map(|part| Ok(Frame::data(part))));
    Response::from_parts(head, StreamBody::new(parts).boxed_unsync())
}

fn refuse(dialect: Dialect, refusal: PushRefusal) -> Response<Body> {
    dialect.answer_push(PushOutcome::Refused(refusal)).map(full)
}
