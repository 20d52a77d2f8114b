//! Another server takes the place of the function-runner, and answers 200 to anything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use daemon::{
    body::{BodyMemory, RequestBody},
    http::json_bytes,
    serve::{ServeSettings, serve},
};
use futures_util::future::join_all;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::support::{backend::Backend, client::Client, world::World};

const CLIENTS: usize = 24;
const MESSAGES: usize = 10;
const LIMIT: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 1 << 20;

/// Returns each body. Its first response offers to take batches, and no other does. Other requests
/// are answered when the first batch has come.
#[derive(Clone)]
struct EchoServer {
    requests: Arc<AtomicUsize>,
    batches: watch::Sender<usize>,
}

impl EchoServer {
    async fn answer(self, request: Request<RequestBody>) -> http::Response<daemon::http::Body> {
        let is_first = self.requests.fetch_add(1, Ordering::Relaxed) == 0;
        if request.headers()[CONTENT_TYPE] != "application/json" {
            self.batches.send_modify(|batches| *batches += 1);
        }
        let memory = BodyMemory::new(BODY_BYTES_MAX, LIMIT);
        let body = memory.read(request.into_body(), BODY_BYTES_MAX).await.unwrap().bytes;
        let mut response = json_bytes(StatusCode::OK, body);
        if is_first {
            response.headers_mut().insert("x-longhold-batch", "1".parse().unwrap());
        } else {
            self.batches.subscribe().wait_for(|batches| *batches > 0).await.unwrap();
        }
        response
    }
}

#[tokio::test]
async fn a_server_that_knows_no_batches_gets_each_call_alone() {
    let server = EchoServer { requests: Arc::default(), batches: watch::Sender::new(0) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = {
        let server = server.clone();
        service_fn(move |request| {
            let answer = server.clone().answer(request);
            async move { Ok(answer.await) }
        })
    };
    let settings = ServeSettings {
        idle_timeout: LIMIT,
        head_timeout: LIMIT,
        connections_max: 1000,
        linger: Duration::ZERO,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, settings, stop.clone(), service));
    let settings = format!(
        r#"
        [listen]
        public = "127.0.0.1:0"
        internal = "127.0.0.1:0"
        [[api]]
        id = "api-test"
        path = "/another"
        transmit = "http://{address}/echo"
        reply = true
        "#
    );
    let world = World::launch(Backend::start().await, &settings).await;
    let clients = (0..CLIENTS).map(|_| Client::connect(world.listeners.public, "/another"));
    let mut clients: Vec<_> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
    clients[0].send("first").await;
    assert_eq!(clients[0].receive_text().await, "first");
    let talk = |mut client: Client| async move {
        for number in 0..MESSAGES {
            client.send(number.to_string()).await;
        }
        for number in 0..MESSAGES {
            assert_eq!(client.receive_text().await, number.to_string());
        }
        client.close(1000.into()).await;
    };
    join_all(clients.into_iter().map(talk)).await;
    let batches = *server.batches.borrow();
    // As many as may be in flight at once.
    assert!((1..=2).contains(&batches), "{batches}");
    world.finish().await;
    stop.cancel();
    serving.await.unwrap();
}
