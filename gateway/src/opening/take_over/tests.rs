//! A connection whose stream cannot be taken out of hyper, from the handshake to its cleanup.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
};

use daemon::{
    body::RequestBody,
    http::{Body, full},
    serve::{PeerAddress, ServeSettings, serve},
};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, duplex},
    net::TcpListener,
    sync::{Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::service_fn;

use super::*;
use crate::{
    api::Apis,
    call::FunctionClient,
    cleanup::{Cleanups, journal::Journal},
    opening::Connector,
    registry::Registry,
    settings::Settings,
};

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A function that succeeds, and the events that it gets.
async fn start_function() -> (SocketAddr, mpsc::Receiver<serde_json::Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, events) = mpsc::channel(8);
    let service = service_fn(move |request: Request<RequestBody>| {
        let sender = sender.clone();
        async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            sender.send(serde_json::from_slice(&body).unwrap()).await.unwrap();
            Ok::<_, Infallible>(Response::<Body>::new(full("{}")))
        }
    });
    let settings = ServeSettings {
        idle_timeout: Duration::from_secs(60),
        head_timeout: Duration::from_secs(60),
        connections_max: 8,
        linger: Duration::ZERO,
    };
    tokio::spawn(serve(listener, settings, CancellationToken::new(), service));
    (address, events)
}

/// What opens connections of one API at `/`, whose cleanup function is at `function`.
fn connector(function: SocketAddr, folder: &TempDir) -> (Connector, Apis) {
    let file = folder.path().join("gateway.toml");
    let text = format!(
        "api = [{{ id = 'a', path = '/', transmit = 'http://{function}/', \
         cleanup = 'http://{function}/' }}]\njournal = {{ dir = '{}' }}",
        folder.path().display()
    );
    let settings = Settings::parse(Path::new(&file), &text, &BTreeMap::new()).unwrap();
    let journal = Journal::open(&settings.journal).unwrap();
    let token = http::HeaderValue::from_static("Bearer hunter2");
    let functions = FunctionClient::new(
        &"http://127.0.0.1:9".parse().unwrap(),
        token,
        &daemon::peer::Peers::default(),
    )
    .unwrap();
    let connector = Connector {
        memory: crate::connection::ReceiveMemory::new(1 << 20),
        node: [0; 3],
        permits: Arc::new(Semaphore::new(1)),
        settings: Arc::new(settings.connection),
        cleanups: Cleanups::new(functions.clone(), journal, settings.cleanup),
        identification: Default::default(),
        functions,
        registry: Registry::default(),
        tasks: TaskTracker::new(),
        lingering: TaskTracker::new(),
    };
    let apis = Apis::new(settings.apis, settings.runner);
    connector.cleanups.take_up(&apis);
    (connector, apis)
}

/// Lines of the log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_client_is_closed_with_1011_and_the_log_and_the_cleanup_say_why() {
    let (log, folder) = (Log::default(), tempfile::tempdir().unwrap());
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let (function, mut events) = start_function().await;
    let (connector, apis) = connector(function, &folder);

    // The listener would give a `Stream` to hyper.
    let (server, mut client) = duplex(4 << 10);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()));
        let (connector, (api, path)) = (connector.clone(), apis.by_path("/").unwrap());
        async move { Ok::<_, Infallible>(connector.connect(api, path, request).await) }
    });
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(server), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::spawn(served);
    client.write_all(HANDSHAKE).await.unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();

    let (head, frames) =
        received.split_at(received.windows(4).position(|w| w == b"\r\n\r\n").unwrap());
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(head));
    let close = b"\r\n\r\n\x88\x1f\x03\xf3internal error of the gateway";
    assert_eq!(frames, close, "a Close with code 1011");
    let cleanup = events.recv().await.unwrap();
    assert_eq!(cleanup["websocket"]["action"], "closing", "{cleanup}");
    assert_eq!(cleanup["websocket"]["closeReason"], "fault", "{cleanup}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("hyper holds another type of stream"), "{log}");
}
