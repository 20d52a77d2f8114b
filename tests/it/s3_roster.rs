//! The chat end to end, as in `chat`, with the roster in a bucket of a real S3 server: many
//! requests at once, more than one page of ids, a server that is down, wrong credentials.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::connection_id::ConnectionId;
use tokio::{
    join,
    time::{Instant, sleep_until},
};

use crate::support::{
    client::{Client, Refused},
    s3::S3,
    soon,
    stack::Stack,
    world::data_send,
};

const CHAT: &str = "/release/chat";
const SECRET: &str = "hunter2";

async fn start() -> (S3, Stack) {
    let s3 = S3::start(SECRET);
    let stack = Stack::with_environment(&s3.environment(SECRET)).await;
    (s3, stack)
}

async fn connect_all(count: usize, address: SocketAddr) -> Vec<Client> {
    let connect = || async { Client::connect(address, CHAT).await.unwrap() };
    join_all((0..count).map(|_| connect())).await
}

async fn close_all(clients: Vec<Client>) {
    join_all(clients.into_iter().map(|client| client.close(1000.into()))).await;
}

/// Checks that a handshake failed because the roster could not be reached.
fn check_refused(refused: &Refused) {
    assert_eq!(refused.status(), 502);
    let message = String::from_utf8_lossy(refused.body());
    assert!(message.contains("the register function failed"), "{message}");
}

async fn post(url: String, body: &Value) -> (u16, Value) {
    let request = crate::support::access::operator().post(url).body(body.to_string()).send();
    let response = soon("an answer", request).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// Checks that the roster has exactly the ids of `clients`: pushes to each id the id itself, and
/// each client must receive one of them.
async fn check_roster(s3: &S3, stack: &Stack, clients: &mut [Client]) {
    let ids = s3.ids();
    let pushes: Vec<_> = ids.iter().map(|id| data_send(id, id)["websocket"].take()).collect();
    let url = format!("http://{}/api-chat", stack.listeners.internal);
    let (_, answer) = post(url, &json!({ "websocket": pushes })).await;
    assert_eq!(answer["errNo"], 0, "{answer}");
    assert_eq!(clients.len(), ids.len());
    let received = join_all(clients.iter_mut().map(Client::receive_text)).await;
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), ids);
}

/// The first client sends `text`. All others must receive it, with the same number of people
/// online. Returns this number.
async fn say(clients: &mut [Client], text: &str) -> usize {
    let (first, others) = clients.split_first_mut().unwrap();
    first.send(text).await;
    let received = join_all(others.iter_mut().map(Client::receive_text)).await;
    assert!(received.iter().all(|other| *other == received[0]), "{received:?}");
    let online = received[0].strip_prefix(text).and_then(|rest| {
        rest.strip_prefix("(===Online people:")?.strip_suffix("===)")?.parse().ok()
    });
    online.unwrap_or_else(|| panic!("{received:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_connect_at_once_and_the_bucket_has_exactly_their_ids() {
    let (s3, stack) = start().await;
    let address = stack.listeners.public;
    let guests = connect_all(100, address).await;
    assert_eq!(s3.ids().len(), 100);

    let (mut clients, ()) = join!(connect_all(200, address), close_all(guests));
    s3.until_online(200).await;
    check_roster(&s3, &stack, &mut clients).await;
    assert_eq!(say(&mut clients, "hello").await, 200);

    close_all(clients).await;
    s3.until_online(0).await;
    stack.finish().await;
    assert_eq!(s3.ids(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_one_page_is_counted_and_the_first_message_removes_stale_ids() {
    let (s3, stack) = start().await;
    let stale = (0..1200_u128).map(|n| ConnectionId::new(n.to_be_bytes(), [0; 3]).to_string());
    s3.leave_behind(stale);

    let mut clients = connect_all(2, stack.listeners.public).await;
    assert_eq!(say(&mut clients, "who is there?").await, 1202);
    let lists: Vec<_> = s3.answered().into_iter().filter(|line| line.contains("list-")).collect();
    assert_eq!(lists.len(), 2, "a page has a thousand: {lists:?}");
    assert!(lists[1].contains("continuation-token="), "{lists:?}");

    // The next message of the same client is sent after the first call of transmit has ended.
    assert_eq!(say(&mut clients, "just us").await, 2);
    check_roster(&s3, &stack, &mut clients).await;
    stack.finish().await;
    assert_eq!(s3.ids(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_bucket_is_down_clients_are_refused_and_cleanups_come_later() {
    let (mut s3, stack) = start().await;
    let address = stack.listeners.public;
    let mut clients = connect_all(3, address).await;
    let leaver = clients.pop().unwrap();

    s3.stop().await;
    let back = Instant::now() + Duration::from_secs(2);
    leaver.close(1000.into()).await;
    clients[0].send("is anybody there?").await;
    while {
        check_refused(&Client::connect(address, CHAT).await.err().expect("nowhere to register"));
        Instant::now() < back
    } {}
    assert_eq!(s3.ids().len(), 3, "the data is still there");

    // A client that connects at this moment may be accepted or refused.
    let (last, ()) = join!(Client::connect(address, CHAT), async {
        sleep_until(back).await;
        s3.start_again(SECRET);
    });
    match last {
        Ok(client) => clients.push(client),
        Err(refused) => check_refused(&refused),
    }
    s3.until_online(clients.len()).await;
    check_roster(&s3, &stack, &mut clients).await;
    // The message that was sent meanwhile is lost, but the connection of its sender is open.
    assert_eq!(say(&mut clients, "there you are").await, clients.len());

    // A cleanup is owed for refused clients too. The gateway delivers it before it ends.
    stack.finish().await;
    assert_eq!(s3.ids(), BTreeSet::new());
}

#[tokio::test]
async fn with_wrong_credentials_clients_are_refused_and_no_secret_is_shown() {
    let mut s3 = S3::start(SECRET);
    let stack = Stack::with_environment(&s3.environment("hunter3")).await;
    check_refused(&Client::connect(stack.listeners.public, CHAT).await.err().unwrap());
    assert_eq!(s3.ids(), BTreeSet::new());

    // The same call as the gateway's. The log has the same trace.
    let id = ConnectionId::new([7; 16], [0; 3]).to_string();
    let event = json!({ "websocket": { "action": "connecting", "secConnectionID": id } });
    let url = format!("{}/functions/chat-register/invocations", stack.runner_url);
    let (status, error) = post(url, &event).await;
    assert_eq!(status, 430);
    let trace = error["stackTrace"].as_str().unwrap();
    for named in ["roster could not add a connection", "403", "SignatureDoesNotMatch"] {
        assert!(trace.contains(named), "{trace}");
    }
    assert!(!trace.contains("hunter"), "{trace}");

    // The cleanup of the refused client succeeds as soon as the credentials are right.
    s3.until_answered("403 DELETE").await;
    s3.stop().await;
    s3.start_again("hunter3");
    s3.until_answered("204 DELETE").await;
    stack.finish().await;
}
