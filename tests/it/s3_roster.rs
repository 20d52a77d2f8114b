//! The roster in a bucket, against a real S3 server: the chat end to end, as in `chat`, with what
//! only a store at the other end of a wire can do: many at once, more than a page of them, no
//! answer, no access.

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

/// A handshake that has to fail for want of a roster.
fn check_refused(refused: &Refused) {
    assert_eq!(refused.status(), 502);
    let told = String::from_utf8_lossy(refused.body());
    assert!(told.contains("the register function failed"), "{told}");
}

async fn post(url: String, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(url).body(body.to_string()).send();
    let response = soon("an answer", request).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// Checks that the roster is that of `clients`: pushes to each id its own name, of which each
/// client has to hear one.
async fn check_roster(s3: &S3, stack: &Stack, clients: &mut [Client]) {
    let ids = s3.ids();
    let pushes: Vec<_> = ids.iter().map(|id| data_send(id, id)["websocket"].take()).collect();
    let url = format!("http://{}/api-chat", stack.doors.internal);
    let (_, answer) = post(url, &json!({ "websocket": pushes })).await;
    assert_eq!(answer["errNo"], 0, "{answer}");
    assert_eq!(clients.len(), ids.len());
    let heard = join_all(clients.iter_mut().map(Client::receive_text)).await;
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), ids);
}

/// The first one says `text`, which all others must hear, with the same number of people online:
/// that number.
async fn say(clients: &mut [Client], text: &str) -> usize {
    let (first, others) = clients.split_first_mut().unwrap();
    first.send(text).await;
    let heard = join_all(others.iter_mut().map(Client::receive_text)).await;
    assert!(heard.iter().all(|other| *other == heard[0]), "{heard:?}");
    let online = heard[0].strip_prefix(text).and_then(|rest| {
        rest.strip_prefix("(===Online people:")?.strip_suffix("===)")?.parse().ok()
    });
    online.unwrap_or_else(|| panic!("{heard:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_come_and_go_at_once_and_the_bucket_has_exactly_those_who_are_there() {
    let (s3, stack) = start().await;
    let address = stack.doors.public;
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
async fn more_than_a_page_is_counted_and_the_stale_leave_with_the_first_message() {
    let (s3, stack) = start().await;
    let stale = (0..1200_u128).map(|n| ConnectionId::new(n.to_be_bytes(), [0; 3]).to_string());
    s3.leave_behind(stale);

    let mut clients = connect_all(2, stack.doors.public).await;
    assert_eq!(say(&mut clients, "who is there?").await, 1202);
    let lists: Vec<_> = s3.answered().into_iter().filter(|line| line.contains("list-")).collect();
    assert_eq!(lists.len(), 2, "a page has a thousand: {lists:?}");
    assert!(lists[1].contains("continuation-token="), "{lists:?}");

    // The next message of the same client waits until all that the first one led to is done.
    assert_eq!(say(&mut clients, "just us").await, 2);
    check_roster(&s3, &stack, &mut clients).await;
    stack.finish().await;
    assert_eq!(s3.ids(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_bucket_is_away_nobody_gets_in_and_who_left_is_struck_out_when_it_is_back() {
    let (mut s3, stack) = start().await;
    let address = stack.doors.public;
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
    assert_eq!(s3.ids().len(), 3, "its data has outlived it");

    // One who comes at the very moment may wait and get in, or be refused as well.
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
    // What was said meanwhile is lost, but not the connection of who said it.
    assert_eq!(say(&mut clients, "there you are").await, clients.len());

    // Who was refused is owed a cleanup as well. The gateway does not end before.
    stack.finish().await;
    assert_eq!(s3.ids(), BTreeSet::new());
}

#[tokio::test]
async fn wrong_credentials_let_nobody_in_and_are_named_but_not_shown() {
    let mut s3 = S3::start(SECRET);
    let stack = Stack::with_environment(&s3.environment("hunter3")).await;
    check_refused(&Client::connect(stack.doors.public, CHAT).await.err().unwrap());
    assert_eq!(s3.ids(), BTreeSet::new());

    // As the gateway calls it; the log has the same trace.
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

    // The cleanup that is owed to who was refused goes through as soon as the keys fit.
    s3.until_answered("403 DELETE").await;
    s3.stop().await;
    s3.start_again("hunter3");
    s3.until_answered("204 DELETE").await;
    stack.finish().await;
}
