//! The runtime API: HTTP requests of a child to its instance.
//!
//! It has the paths of SCF, and those of AWS Lambda for the same requests. The child pushes to
//! other paths of the same address.

mod caller;
mod connections;
mod idle;
mod next;
mod push;
mod reply;
mod stream;

use std::{io, net::Ipv4Addr, sync::Arc};

use daemon::{
    body::BodyMemory,
    credentials::AccessToken,
    http::{Body, json_bytes, message},
    listen::BACKLOG,
    offload::offload,
};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use nix::unistd::Uid;
use tokio::{
    net::TcpSocket,
    sync::{Semaphore, watch},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub(super) use self::caller::can_be_known;
pub(crate) use self::reply::memory as reply_memory;
use self::{
    caller::{Callers, Instance},
    connections::{Access, CONNECTIONS_MAX},
    push::ChildPushes,
};
use super::{
    delivery::Deliveries,
    exchange::{ChildReply, Counted, Exchange},
    processes::Processes,
    report,
};
use crate::push::Pushes;

/// The header in which our own bootstraps send the secret of their instance.
const SECRET: HeaderName = HeaderName::from_static("longhold-secret");

/// The runtime API of one instance. Dropped, its listener closes.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) port: u16,
    /// Each request has to carry it, if the instance has one.
    pub(super) secret: Option<AccessToken>,
    /// What the child pushes to.
    pub(super) push_url: String,
    instance: watch::Sender<Option<Instance>>,
    #[expect(dead_code, reason = "held, not read")]
    stop: DropGuard,
}

impl RuntimeApi {
    /// Opens the listener, in a task of `tasks`. Only our own bootstraps know how to send a secret.
    /// Where the system does not tell whose a connection is, the address for pushes has one.
    pub(super) fn open(
        exchange: Arc<Exchange>,
        replies: BodyMemory,
        pushes: Pushes,
        is_our_bootstrap: bool,
        tasks: &TaskTracker,
    ) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        // A child may push to many clients at once, with a connection for each.
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let secret = is_our_bootstrap.then(AccessToken::random);
        let push_secret = (!can_be_known().unwrap_or(false)).then(AccessToken::random);
        let (callers, instance) = Callers::new(address);
        let stop = CancellationToken::new();
        let pushes = ChildPushes::new(pushes, push_secret, tasks.clone(), stop.clone());
        let push_url = pushes.url(address.port());
        let requests = Requests {
            exchange,
            pushes,
            replies,
            turn: Arc::new(Semaphore::new(1)),
            bodies: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let access = Access { callers, secret: secret.clone() };
        tasks.spawn(connections::serve(listener, requests, access, stop.clone()));
        Ok(Self { port: address.port(), secret, push_url, instance, stop: stop.drop_guard() })
    }

    /// The child has started: its connections are served from now on. `user` is the account that
    /// its processes run as.
    pub(super) fn serve_to(&self, processes: Processes, user: Uid) {
        self.instance.send_replace(Some(Instance { processes, user }));
    }
}

/// What the requests of a child need.
#[derive(Debug, Clone)]
struct Requests {
    exchange: Arc<Exchange>,
    pushes: ChildPushes,
    replies: BodyMemory,
    /// One body is read at a time, so that an instance holds the memory of one reply at most.
    turn: Arc<Semaphore>,
    /// One for each body that is read, or waits for the turn, also when its connection has ended.
    bodies: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Requests {
    /// Waits for `taking`, which takes the body of a request, in a task of its own: the future of a
    /// request is dropped when its connection ends, and a child may end it after the last byte.
    /// Takes nothing if a child has left too many of them behind.
    async fn taken<T: Send + 'static>(
        &self,
        taking: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let body = Arc::clone(&self.bodies).try_acquire_owned().ok()?;
        let stop = self.stop.clone();
        let taken = self.tasks.spawn(async move {
            let _kept = body;
            stop.run_until_cancelled(taking).await
        });
        taken.await.ok().flatten()
    }

    /// Takes the reply to the event with the id `id`, which `parse` makes of the body. Returns
    /// whether the reply was expected.
    async fn take(
        &self,
        id: Option<&str>,
        body: Incoming,
        parse: impl FnOnce(&[u8]) -> ChildReply + Send + 'static,
    ) -> bool {
        let replying = self.exchange.replying();
        let taking = self.clone().take_owned(replying, id.map(str::to_owned), body, parse);
        self.taken(taking).await.unwrap_or(false)
    }

    async fn take_owned(
        self,
        replying: Counted,
        id: Option<String>,
        mut body: Incoming,
        parse: impl FnOnce(&[u8]) -> ChildReply + Send + 'static,
    ) -> bool {
        let id = id.as_deref();
        if self.exchange.expects_reply(id) {
            let _turn = self.turn.acquire().await.expect("it is never closed");
            // The turn ends with the event: only the reply that is read in it can end the event.
            if self.exchange.expects_reply(id) {
                let reply = match reply::read(&self.replies, &mut body).await {
                    Ok(held) => offload(held.bytes.len(), move || parse(&held.bytes)).await,
                    Err(fault) => Err(fault),
                };
                return self.exchange.reply(id, reply);
            }
        }
        drop(replying);
        reply::refuse(body).await;
        false
    }

    /// Takes the error of a child that cannot start. One of a child that has started is not read.
    async fn not_loaded(&self, body: Incoming) {
        let replying = self.exchange.replying();
        self.taken(self.clone().not_loaded_owned(replying, body)).await;
    }

    async fn not_loaded_owned(self, replying: Counted, mut body: Incoming) {
        if !self.exchange.has_started() {
            let _turn = self.turn.acquire().await.expect("it is never closed");
            tokio::select! {
                biased;
                () = self.exchange.start() => {}
                report = reply::read(&self.replies, &mut body) => {
                    let fault = report.map_or_else(|fault| fault, |b| report::not_loaded(&b.bytes));
                    return self.exchange.started(Err(fault));
                }
            }
        }
        drop(replying);
        reply::refuse(body).await;
    }
}

/// A request of the child.
#[derive(Debug, PartialEq, Eq)]
enum RuntimeRequest<'a> {
    Ready,
    NotLoaded,
    Next,
    /// The id is that in the path, which only AWS Lambda has.
    Response(Option<&'a str>),
    Raised(Option<&'a str>),
}

impl<'a> RuntimeRequest<'a> {
    /// What comes behind the begin that all paths of the runtime API have. None for the path of a
    /// push.
    fn rest(path: &'a str) -> Option<&'a str> {
        path.strip_prefix("/2018-06-01").unwrap_or(path).strip_prefix("/runtime/")
    }

    fn of(method: &Method, path: &'a str) -> Option<Self> {
        let path = Self::rest(path)?;
        if *method == Method::GET {
            return (path == "invocation/next").then_some(Self::Next);
        }
        if *method != Method::POST {
            return None;
        }
        match path.split('/').collect::<Vec<_>>()[..] {
            ["init", "ready"] => Some(Self::Ready),
            ["init", "error"] => Some(Self::NotLoaded),
            ["invocation", "response"] => Some(Self::Response(None)),
            ["invocation", "error"] => Some(Self::Raised(None)),
            ["invocation", id, "response"] => Some(Self::Response(Some(id))),
            ["invocation", id, "error"] => Some(Self::Raised(Some(id))),
            _ => None,
        }
    }
}

/// Answers a request of the child, on the connection of `deliveries`.
async fn answer(
    requests: &Requests,
    deliveries: &Deliveries,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(asked) = RuntimeRequest::of(&head.method, head.uri.path()) else {
        return message(StatusCode::NOT_FOUND, "the runtime API has no such path");
    };
    let id = id_of(&head.headers);
    match asked {
        RuntimeRequest::Ready => requests.exchange.started(Ok(())),
        RuntimeRequest::NotLoaded => requests.not_loaded(body).await,
        RuntimeRequest::Next => return next::answer(&requests.exchange, deliveries).await,
        RuntimeRequest::Response(id_in_path) => {
            return accept(requests.take(id_in_path.or(id), body, reply::check).await);
        }
        RuntimeRequest::Raised(id_in_path) => {
            let parse = |body: &[u8]| Err(report::raised(body));
            return accept(requests.take(id_in_path.or(id), body, parse).await);
        }
    }
    accept(true)
}

/// The id of the event, which our own bootstraps send in a header.
fn id_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(next::REQUEST_ID)?.to_str().ok()
}

fn accept(is_accepted: bool) -> Response<Body> {
    if is_accepted {
        return json_bytes(StatusCode::ACCEPTED, "{\"status\":\"OK\"}");
    }
    message(StatusCode::BAD_REQUEST, "no event with this id waits for a reply")
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::RuntimeRequest;

    #[test]
    fn both_dialects_ask_for_the_same() {
        let cases = [
            ("POST", "/runtime/init/ready", Some(RuntimeRequest::Ready)),
            ("GET", "/runtime/invocation/next", Some(RuntimeRequest::Next)),
            ("POST", "/runtime/invocation/response", Some(RuntimeRequest::Response(None))),
            ("POST", "/runtime/invocation/error", Some(RuntimeRequest::Raised(None))),
            ("POST", "/2018-06-01/runtime/init/error", Some(RuntimeRequest::NotLoaded)),
            ("GET", "/2018-06-01/runtime/invocation/next", Some(RuntimeRequest::Next)),
            (
                "POST",
                "/2018-06-01/runtime/invocation/a/response",
                Some(RuntimeRequest::Response(Some("a"))),
            ),
            (
                "POST",
                "/2018-06-01/runtime/invocation/a/error",
                Some(RuntimeRequest::Raised(Some("a"))),
            ),
            ("POST", "/runtime/invocation/next", None),
            ("GET", "/runtime/invocation/response", None),
            ("PUT", "/runtime/init/ready", None),
            ("GET", "/", None),
        ];
        for (method, path, ask) in cases {
            assert_eq!(
                RuntimeRequest::of(&Method::try_from(method).unwrap(), path),
                ask,
                "{method} {path}"
            );
        }
    }
}
