//! Connections that wait for their peer give way, and health is answered in any case.

use tokio::{sync::Semaphore, time};

use super::*;
use crate::health::health;

const PERMITS: usize = 4;

/// A server with few capacity. `/healthz` says that it is alive, `/large` has an answer that no
/// system keeps, `/body` reads the body, `/hold` waits for a permit, and `/free` gives its permit
/// up before.
async fn start(hold: &Arc<Semaphore>) -> TestServer {
    let hold = Arc::clone(hold);
    TestServer::with_capacity(PERMITS, HOUR, move |request: Request<RequestBody>| {
        let hold = Arc::clone(&hold);
        async move {
            let permit: ConnectionPermit =
                request.extensions().get::<ConnectionPermit>().unwrap().clone();
            match request.uri().path() {
                "/healthz" => return health(),
                "/large" => return Response::new(full(vec![b'x'; 16 << 20])),
                "/body" => drop(request.into_body().collect().await),
                "/hold" => hold.acquire().await.unwrap().forget(),
                "/free" => {
                    permit.give_up();
                    hold.acquire().await.unwrap().forget();
                }
                _ => {}
            }
            message(StatusCode::OK, "served")
        }
    })
    .await
}

/// Clients that have sent `request` and stay, more than there are capacity.
async fn stay(server: &TestServer, request: &str, count: usize) -> Vec<TestClient> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = TestClient::connect(server).await;
        client.send(request).await;
        clients.push(client);
    }
    clients
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

async fn check(server: &TestServer, path: &str, expected: &str) -> String {
    let mut client = TestClient::connect(server).await;
    client.get(path).await;
    let answer = client.receive_until("}").await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{path}: {answer}");
    answer
}

/// With `count` clients that have sent `request` and stay, others are served.
async fn check_room(request: &str, count: usize) {
    let server = start(&Arc::new(Semaphore::new(0))).await;
    let held = stay(&server, request, count).await;
    check(&server, "/healthz", "200").await;
    for _ in 0..2 * PERMITS {
        check(&server, "/", "200").await;
    }
    drop(held);
    server.end().await;
}

#[tokio::test]
async fn connections_without_a_request_give_way() {
    check_room("", 3 * PERMITS).await;
}

#[tokio::test]
async fn half_heads_give_way() {
    check_room("GET / HTTP/1.1\r\nHost: localhost", 3 * PERMITS).await;
}

#[tokio::test]
async fn idle_connections_give_way() {
    check_room(&get("/"), PERMITS).await;
}

/// All that happens between the two turns of the server happens at once: the connections have been
/// idle for long enough, a newcomer needs the permit of one of them, and each gets a request.
#[tokio::test]
async fn a_request_that_comes_while_its_connection_gives_way_is_answered() {
    let server = start(&Arc::new(Semaphore::new(0))).await;
    let mut idle = stay(&server, &get("/"), PERMITS).await;
    for client in &mut idle {
        client.receive_until("}").await;
    }
    time::pause();
    time::advance(Duration::from_secs(2)).await;
    time::resume();
    let mut newcomer = TestClient::connect_now(&server);
    newcomer.send_now(&get("/"));
    for client in &mut idle {
        client.send_now(&get("/"));
    }
    let mut closed = 0;
    for client in &mut idle {
        let answer = client.receive_until("}").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        closed += usize::from(answer.contains("connection: close"));
    }
    assert_eq!(closed, 1);
    assert!(newcomer.receive_until("}").await.starts_with("HTTP/1.1 200 "));
    server.end().await;
}

#[tokio::test]
async fn half_heads_give_way_before_idle_connections_do() {
    let server = start(&Arc::new(Semaphore::new(0))).await;
    let _half = stay(&server, "GET / HTTP/1.1\r\nHost: localhost", 1).await;
    let mut idle = stay(&server, &get("/"), PERMITS - 1).await;
    for client in &mut idle {
        client.receive_until("}").await;
    }
    time::pause();
    time::advance(Duration::from_secs(2)).await;
    time::resume();
    check(&server, "/", "200").await;
    for client in &mut idle {
        client.get("/").await;
        assert!(client.receive_until("}").await.starts_with("HTTP/1.1 200 "));
    }
    server.end().await;
}

#[tokio::test]
async fn answers_that_nobody_reads_give_way() {
    check_room(&get("/large"), PERMITS).await;
}

#[tokio::test]
async fn bodies_that_do_not_come_give_way() {
    check_room("POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", PERMITS)
        .await;
}

#[tokio::test]
async fn bodies_that_are_refused_and_go_on_give_way() {
    check_room("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nx", PERMITS)
        .await;
}

/// Requests in hand keep their capacity. Health is answered, and others are told to come back.
#[tokio::test]
async fn health_is_answered_while_requests_in_hand_have_all_places() {
    let hold = Arc::new(Semaphore::new(0));
    let server = start(&hold).await;
    let mut held = stay(&server, &get("/hold"), PERMITS).await;
    check(&server, "/healthz", "200").await;
    let answer = check(&server, "/", "503").await;
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    check(&server, "/healthz", "200").await;
    // More requests than are accepted beyond the capacity.
    let waiting = stay(&server, &get("/"), 300).await;
    check(&server, "/healthz", "200").await;
    drop(waiting);
    hold.add_permits(PERMITS);
    for client in &mut held {
        assert!(client.receive_until("}").await.starts_with("HTTP/1.1 200 "));
    }
    check(&server, "/", "200").await;
    server.end().await;
}

#[tokio::test]
async fn requests_that_gave_their_permits_up_hold_none() {
    let hold = Arc::new(Semaphore::new(0));
    let server = start(&hold).await;
    let mut held = stay(&server, &get("/free"), 2 * PERMITS).await;
    for _ in 0..2 * PERMITS {
        check(&server, "/", "200").await;
    }
    hold.add_permits(2 * PERMITS);
    for client in &mut held {
        assert!(client.receive_until("}").await.starts_with("HTTP/1.1 200 "));
    }
    server.end().await;
}

#[tokio::test]
async fn half_a_head_is_dropped_long_before_an_idle_connection() {
    let settings = ServeSettings {
        idle_timeout: HOUR,
        head_timeout: Duration::from_millis(50),
        connections_max: PERMITS,
        linger: Duration::ZERO,
    };
    let server = TestServer::with_settings(settings, greet).await;
    let mut idle = TestClient::connect(&server).await;
    let mut half = TestClient::connect(&server).await;
    half.send("GET / HTTP/1.1\r\nHost: loc").await;
    assert!(half.receive_all().await.starts_with("HTTP/1.1 408 "));
    idle.get("/").await;
    idle.receive_until("!").await;
    // On a connection that is kept alive too.
    idle.send("GET / HTTP/1.1\r\nHost: loc").await;
    assert!(idle.receive_all().await.starts_with("HTTP/1.1 408 "));
    server.end().await;
}
