//! A client and a server over a real socket, and malformed batches.

mod turns;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};
use url::Url;

use crate::{
    Batcher, CONTENT_TYPE, Item, ItemResponse, NoAnswer, OFFER, VERSION, server, wire::items,
};

const LIMIT: Duration = Duration::from_secs(20);

/// Answers each item with status 201 and the reverse of its body. An item with the body `wait` is
/// answered when `go` has a permit.
#[derive(Debug, Clone)]
struct Server {
    url: Url,
    /// How many items each batch had.
    batches: Arc<Mutex<Vec<usize>>>,
    go: Arc<Semaphore>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let server = Self { url, batches: Arc::default(), go: Arc::new(Semaphore::new(0)) };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                let service = service_fn(move |request| server.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        server
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<server::Body>, Infallible> {
        assert!(server::is_batch(request.headers()));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let items = items(body).unwrap();
        self.batches.lock().unwrap().push(items.len());
        if items.iter().any(|item| item.body == "refuse") {
            let mut response = server::answer(std::iter::empty()).await;
            *response.status_mut() = StatusCode::NOT_FOUND;
            return Ok(response);
        }
        let exchanges = items.into_iter().map(|item| {
            let go = Arc::clone(&self.go);
            async move {
                if item.body == "wait" {
                    go.acquire().await.unwrap().forget();
                }
                if item.body == "grow" {
                    return ItemResponse { status: 201, body: vec![b'x'; (8 << 20) + 1].into() };
                }
                let body: Vec<u8> = item.body.iter().rev().copied().collect();
                ItemResponse { status: 201, body: body.into() }
            }
            .boxed()
        });
        Ok(server::answer(exchanges).await)
    }

    fn batcher(&self) -> Batcher {
        let batcher = Batcher::new(reqwest::Client::new(), self.url.clone(), LIMIT);
        batcher.learn(&http::HeaderMap::new());
        assert!(!batcher.takes(1), "the server has not offered");
        learn(&batcher);
        batcher
    }
}

/// The server offers to take batches.
fn learn(batcher: &Batcher) {
    batcher.learn(&http::HeaderMap::from_iter([(OFFER, VERSION)]));
    assert!(batcher.takes(1));
}

fn item(body: impl Into<Bytes>) -> Item {
    Item { id: "id".into(), traceparent: None, body: body.into() }
}

async fn check(batcher: &Batcher, body: String) {
    let response = batcher.exchange(item(body.clone())).await.unwrap();
    let expected: String = body.chars().rev().collect();
    assert_eq!((response.status, &response.body[..]), (201, expected.as_bytes()));
}

#[tokio::test]
async fn each_item_gets_its_own_response_and_many_items_share_a_batch() {
    let server = Server::start().await;
    let batcher = server.batcher();
    let bodies = (0..500).map(|number| format!("{number}\n{}", "x".repeat(number * 40)));
    join_all(bodies.map(|body| check(&batcher, body))).await;
    let batches = server.batches.lock().unwrap().clone();
    assert_eq!(batches.iter().sum::<usize>(), 500);
    assert!(batches.len() < 100, "{batches:?}");
}

#[tokio::test]
async fn a_slow_item_does_not_delay_the_others() {
    let server = Server::start().await;
    let batcher = server.batcher();
    let slow: Vec<_> = (0..10)
        .map(|_| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.exchange(item("wait")).await })
        })
        .collect();
    join_all((0..100).map(|number| check(&batcher, number.to_string()))).await;
    assert!(slow.iter().all(|task| !task.is_finished()));
    server.go.add_permits(10);
    for task in slow {
        assert_eq!(task.await.unwrap().unwrap().body, "tiaw");
    }
}

/// A server that takes every batch and never answers: each batch has a socket.
#[tokio::test]
async fn a_batch_that_nobody_waits_for_gives_its_socket_back() {
    for has_begun in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let batcher = Batcher::new(reqwest::Client::new(), url, LIMIT);
        batcher.learn(&http::HeaderMap::from_iter([(OFFER, VERSION)]));
        let first = batcher.clone();
        let first = tokio::spawn(async move { first.exchange(item("one")).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        if has_begun {
            let begin = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\n\r\n",
                CONTENT_TYPE.to_str().unwrap()
            );
            stream.write_all(begin.as_bytes()).await.unwrap();
        }
        assert!(!first.is_finished());
        first.abort();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await;
        ended.expect("the socket stays open").unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_does_not_harm_the_others() {
    let server = Server::start().await;
    let batcher = server.batcher();
    let grow = batcher.exchange(item("grow"));
    let others = join_all((0..50).map(|number| check(&batcher, number.to_string())));
    let waits = batcher.exchange(item("wait"));
    // This one is answered last.
    let last = async {
        while server.batches.lock().unwrap().iter().sum::<usize>() < 52 {
            tokio::task::yield_now().await;
        }
        server.go.add_permits(1);
    };
    let (waited, grown, _, ()) = tokio::join!(waits, grow, others, last);
    assert!(matches!(grown, Err(NoAnswer::TooLarge)), "{grown:?}");
    assert_eq!(waited.unwrap().body, "tiaw");
}

#[tokio::test]
async fn only_one_exchange_at_a_time_is_alone() {
    let server = Server::start().await;
    let batcher = server.batcher();
    let lone_exchange = batcher.alone().unwrap();
    assert!(batcher.alone().is_none());
    check(&batcher, "beside it".to_owned()).await;
    drop(lone_exchange);
    assert!(batcher.alone().is_some());
}

#[tokio::test]
async fn each_failure_has_its_own_error() {
    let server = Server::start().await;
    let batcher = server.batcher();
    let limit = Duration::from_millis(1);
    let waited = batcher.exchange_within(limit, item("wait")).await;
    assert!(matches!(waited, Err(NoAnswer::TimedOut(_))), "{waited:?}");

    let refused = batcher.exchange(item("refuse")).await;
    assert!(matches!(refused, Err(NoAnswer::Refused(StatusCode::NOT_FOUND))), "{refused:?}");
    assert!(!batcher.takes(1), "it was refused");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let batcher = Batcher::new(reqwest::Client::new(), url, LIMIT);
    learn(&batcher);
    let hang_up = async {
        let (stream, _) = listener.accept().await.unwrap();
        drop((stream, listener));
    };
    let (broken, ()) = tokio::join!(batcher.exchange(item("one")), hang_up);
    assert!(matches!(broken, Err(NoAnswer::Broken(_))), "{broken:?}");
    let not_offered = batcher.exchange(item("one")).await;
    assert!(matches!(not_offered, Err(NoAnswer::NotOffered)), "{not_offered:?}");
    learn(&batcher);
    let not_sent = batcher.exchange(item("one")).await;
    assert!(matches!(not_sent, Err(NoAnswer::NotSent(_))), "{not_sent:?}");
    assert!(batcher.takes(1), "nobody got the batch");
}

/// A server that answers any request with `response`, and then hangs up.
async fn answers(response: &'static str) -> Batcher {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 1 << 16];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    let batcher = Batcher::new(reqwest::Client::new(), url, LIMIT);
    learn(&batcher);
    batcher
}

#[tokio::test]
async fn a_response_that_is_not_a_batch_ends_the_offer() {
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let batcher = answers(json).await;
    let items = join_all((0..20).map(|_| batcher.exchange(item("one")))).await;
    for item in &items {
        assert!(matches!(item, Err(NoAnswer::Foreign | NoAnswer::NotOffered)), "{item:?}");
    }
    assert!(matches!(items[0], Err(NoAnswer::Foreign)), "{items:?}");
    assert!(!batcher.takes(1));

    let malformed = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.longhold.batch\r\n\
                     Content-Length: 6\r\n\r\nhello\n";
    let batcher = answers(malformed).await;
    let broken = batcher.exchange(item("one")).await;
    assert!(matches!(broken, Err(NoAnswer::Broken(_))), "{broken:?}");
    assert!(!batcher.takes(1));
}

#[test]
fn a_malformed_batch_is_refused() {
    for text in [
        "one",
        "a - 1\n",
        "a - 1\nxx",
        "a - 1\nx",
        "a -\nx\n",
        "a - b 1\nx\n",
        "a - -1\n\n",
        " - 1\nx\n",
        "\u{e4} - 1\nx\n",
        "a - 99999999999999999999\nx\n",
        "a - 18446744073709551615\nx\n",
        "a - 1\nx\n\n",
    ] {
        items(Bytes::from(text)).expect_err(text);
    }
    items(Bytes::from("x".repeat(5000))).unwrap_err();
    assert_eq!(items(Bytes::new()).unwrap(), []);
    let traced = items(Bytes::from("a 00-1 2\n\n\n\n")).unwrap();
    assert_eq!(traced[0].traceparent.as_deref(), Some("00-1"));
    assert_eq!(traced[0].body, "\n\n");
}
