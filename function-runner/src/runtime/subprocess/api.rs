//! The runtime API: HTTP requests of a child to its instance.
//!
//! It has the paths of SCF, and those of AWS Lambda for the same requests. The child pushes to
//! other paths of the same address.

mod caller;
mod connections;
mod idle;
mod names;
mod next;
mod push;
mod reply;
mod routes;
mod serve;
mod stream;

use std::{io, net::Ipv4Addr, sync::Arc};

use daemon::{
    body::BodyMemory,
    credentials::AccessToken,
    http::{Body, json_bytes, message},
    listen::BACKLOG,
    offload::offload,
};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
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
pub use self::routes::paths as runtime_api_paths;
use self::{
    caller::{Callers, Instance},
    connections::{Access, CONNECTIONS_MAX},
    names::Names,
    push::ChildPushes,
    routes::RuntimeRoute,
};
use super::{
    delivery::Deliveries,
    exchange::{ChildReply, Counted, Exchange},
    processes::Processes,
    report,
};
use crate::{cloud::LedNames, push::Pushes};

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
    names: Option<Names>,
    instance: watch::Sender<Option<Instance>>,
    #[expect(dead_code, reason = "held, not read")]
    stop: DropGuard,
}

impl RuntimeApi {
    /// Opens the listener, in a task of `tasks`. Only our own bootstraps know how to send a secret.
    /// Where the system does not tell whose a connection is, the address for pushes has one. `led`
    /// has the names of the cloud, if they lead here.
    pub(super) fn open(
        exchange: Arc<Exchange>,
        replies: BodyMemory,
        pushes: Pushes,
        led: Option<LedNames>,
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
        let pushes = ChildPushes::new(pushes, push_secret.clone(), tasks.clone(), stop.clone());
        let push_url = pushes.url(address.port());
        let names = led
            .map(|led| Names::new(led, pushes.clone(), push_secret, tasks.clone(), stop.clone()));
        let requests = Requests {
            exchange,
            pushes,
            names: names.clone(),
            port: address.port(),
            replies,
            turn: Arc::new(Semaphore::new(1)),
            bodies: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let access = Access { callers, secret: secret.clone() };
        tasks.spawn(connections::serve(listener, requests, access, stop.clone()));
        let port = address.port();
        Ok(Self { port, secret, push_url, names, instance, stop: stop.drop_guard() })
    }

    /// What our bootstraps do about the cloud's names, as JSON. None if nothing.
    pub(super) fn names_for_bootstrap(&self) -> Option<String> {
        let names = self.names.as_ref()?;
        Some(names.led.for_bootstrap(names.knows_connections().then_some(self.port)))
    }

    /// The address of this listener as a proxy for the cloud's names, for programs that need one:
    /// those that have no bootstrap of ours (`is_alone`), and all where the system does not tell
    /// whose a connection is.
    pub(super) fn proxy(&self, is_alone: bool) -> Option<String> {
        let names = self.names.as_ref()?;
        (is_alone || !names.knows_connections()).then(|| names.proxy(self.port))
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
    /// The cloud's names, if they lead here.
    names: Option<Names>,
    port: u16,
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

/// Answers a request of the child for `route`, on the connection of `deliveries`. Only the paths of
/// AWS Lambda have the id of the event.
async fn answer(
    requests: &Requests,
    deliveries: &Deliveries,
    route: RuntimeRoute,
    id_in_path: Option<&str>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let id = id_in_path.or(id_of(&head.headers));
    match route {
        RuntimeRoute::Ready => requests.exchange.started(Ok(())),
        RuntimeRoute::NotLoaded => requests.not_loaded(body).await,
        RuntimeRoute::Next => return next::answer(&requests.exchange, deliveries).await,
        RuntimeRoute::Response => return accept(requests.take(id, body, reply::check).await),
        RuntimeRoute::Raised => {
            let parse = |body: &[u8]| Err(report::raised(body));
            return accept(requests.take(id, body, parse).await);
        }
        RuntimeRoute::Reserved => {
            return message(StatusCode::NOT_FOUND, "the runtime API has no such path");
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
