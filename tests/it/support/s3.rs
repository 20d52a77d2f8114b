//! An S3 server in this process: `s3s` with its files in a folder. It checks signatures, lists at
//! most 1000 keys in a response, and can be stopped and started again with the same data.
//!
//! Only the functions send requests to it. The tests read its folder instead, so that they do not
//! depend on the client that they test.

mod gate;

use std::{collections::BTreeSet, fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use self::gate::Gate;
use super::soon;

const BUCKET: &str = "bucket";
const PREFIX: &str = "chat/online";
const ACCESS_KEY: &str = "key";
/// The delay of each response, as over a network.
const LATENCY: Duration = Duration::from_millis(5);
/// The length of the accept queue; more than a test needs.
const BACKLOG: u32 = 1024;

/// The server, and its port, which stays reserved while the server is stopped.
pub(crate) struct S3 {
    folder: TempDir,
    address: SocketAddr,
    /// Bound and never listening: connections are refused, and no other socket gets the port.
    _port: TcpSocket,
    /// All answered requests, each with its status.
    answered: watch::Sender<Vec<String>>,
    gate: Gate,
    running: Option<Running>,
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl S3 {
    /// A server with one empty bucket, which accepts requests signed with `secret`.
    pub(crate) fn start(secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let port = bound("127.0.0.1:0".parse().unwrap());
        let address = port.local_addr().unwrap();
        let (answered, _) = watch::channel(Vec::new());
        let gate = Gate::open();
        let mut server = Self { folder, address, _port: port, answered, gate, running: None };
        server.start_again(secret);
        server
    }

    /// The environment of a function whose roster is in this server.
    pub(crate) fn environment(&self, secret: &str) -> [(&'static str, String); 4] {
        [
            ("ROSTER_URL", format!("s3://{BUCKET}/{PREFIX}")),
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ]
    }

    /// Its address, and a URL of its bucket, as settings have them.
    pub(crate) fn place(&self) -> [String; 2] {
        [format!("http://{}", self.address), format!("s3://{BUCKET}/{PREFIX}")]
    }

    /// How many objects there are below `folder` of the prefix.
    pub(crate) fn count(&self, folder: &str) -> usize {
        match fs::read_dir(self.roster().join(folder)) {
            Ok(entries) => entries.count(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// Stops at once, also in the middle of requests, like a process that is killed.
    pub(crate) async fn stop(&mut self) {
        let Running { stop, task } = self.running.take().unwrap();
        stop.cancel();
        soon("the end of the S3 server", task).await.unwrap();
    }

    /// Starts again at the same address with the same data, and accepts requests signed with
    /// `secret`.
    pub(crate) fn start_again(&mut self, secret: &str) {
        assert!(self.running.is_none());
        let mut builder = S3ServiceBuilder::new(FileSystem::new(self.folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, secret));
        let listener = bound(self.address).listen(BACKLOG).unwrap();
        let stop = CancellationToken::new();
        let watched = (self.answered.clone(), self.gate.clone());
        let serving = serve(listener, builder.build(), watched, stop.clone());
        self.running = Some(Running { stop, task: tokio::spawn(serving) });
    }

    /// Puts stale ids into the roster, as a gateway that is gone would leave behind.
    pub(crate) fn leave_behind(&self, ids: impl Iterator<Item = String>) {
        fs::create_dir_all(self.roster()).unwrap();
        for id in ids {
            fs::write(self.roster().join(id), "").unwrap();
        }
    }

    /// The connection ids in the roster.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        match fs::read_dir(self.roster()) {
            Ok(entries) => {
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until `count` ids are in the roster. Checks after each response of the server.
    pub(crate) async fn until_online(&self, count: usize) {
        let mut answered = self.answered.subscribe();
        soon(&format!("a roster of {count}"), async {
            while self.ids().len() != count {
                answered.changed().await.unwrap();
            }
        })
        .await;
    }

    /// Waits until the list of answered requests has a line with `what`.
    pub(crate) async fn until_answered(&self, what: &str) {
        let mut answered = self.answered.subscribe();
        let has = |lines: &Vec<String>| lines.iter().any(|line| line.contains(what));
        soon(&format!("an answer to {what}"), answered.wait_for(has)).await.unwrap();
    }

    /// Waits until the list has `count` lines with `what`.
    pub(crate) async fn until_answered_times(&self, what: &str, count: usize) {
        let mut answered = self.answered.subscribe();
        let has =
            |lines: &Vec<String>| lines.iter().filter(|it| it.contains(what)).count() >= count;
        soon(&format!("{count} answers to {what}"), answered.wait_for(has)).await.unwrap();
    }

    /// All requests answered so far, such as `200 GET /bucket?list-type=2`.
    pub(crate) fn answered(&self) -> Vec<String> {
        self.answered.borrow().clone()
    }

    /// Does not answer requests whose line has `what`, such as `DELETE /bucket`, until `let_go`.
    pub(crate) fn hold(&self, what: &'static str) {
        self.gate.hold(what);
    }

    /// Refuses requests whose line has `what` until `let_go`.
    pub(crate) fn refuse(&self, what: &'static str) {
        self.gate.refuse(what);
    }

    /// Answers requests with this header `NotImplemented`, as services do that do not know it.
    pub(crate) fn lack(&self, header: &'static str) {
        self.gate.lack(header);
    }

    pub(crate) fn let_go(&self) {
        self.gate.clear();
    }

    /// Waits until `count` requests are held.
    pub(crate) async fn until_held(&self, count: usize) {
        self.gate.until_held(count).await;
    }

    /// How many requests are held.
    pub(crate) fn held(&self) -> usize {
        self.gate.held()
    }

    fn roster(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join(PREFIX)
    }
}

/// A socket bound to `address`. Two such sockets can have the same address if the second one is
/// bound before the first one listens.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn serve(
    listener: TcpListener,
    service: S3Service,
    (answered, gate): (watch::Sender<Vec<String>>, Gate),
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, _) = accepted.unwrap();
        stream.set_nodelay(true).unwrap();
        let (service, answered, gate) = (service.clone(), answered.clone(), gate.clone());
        let service = service_fn(move |request| {
            let (service, answered, gate) = (service.clone(), answered.clone(), gate.clone());
            async move {
                let line = format!("{} {}", request.method(), request.uri());
                sleep(LATENCY).await;
                let response = match gate.refusal(&line, request.headers()).await {
                    None => hyper::service::Service::call(&service, request).await?,
                    Some(status) => {
                        let mut refused = s3s::HttpResponse::new(s3s::Body::empty());
                        *refused.status_mut() = status;
                        refused
                    }
                };
                let line = format!("{} {line}", response.status().as_u16());
                answered.send_modify(|lines| lines.push(line));
                Ok::<_, s3s::HttpError>(response)
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connections.spawn(async move {
            // An error means that the client hung up, which is allowed.
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}
