//! Callers that do not read the answers to their pushes.

use std::{iter, net::SocketAddr};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::runs::GatewayRuns;
use crate::support::{client::Client, soon, world::data_send};

/// Ids of one push, most of which do not exist: the answer names those.
const IDS: usize = 10_000;
/// Bytes of each long id. All ids take more than the system buffers for a caller that does not
/// read.
const ID_BYTES: usize = 700;
/// `push.memory` of the gateway, which has room for one such push.
const MEMORY: usize = 8 << 20;
const JSON: &str = "application/json";
const BATCH: &str = "application/vnd.longhold.batch";

/// What a caller sends, and how much of the answer it reads before it reads no more.
struct Unread {
    content_type: &'static str,
    body: Vec<u8>,
    read: usize,
}

/// Begins a push whose answer is long, and reads only its beginning.
async fn push_unread(address: SocketAddr, push: &Unread) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!(
        "POST /api-test HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        push.content_type,
        push.body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&push.body).await.unwrap();
    let mut begin = vec![0; push.read];
    soon("the begin of the answer", stream.read_exact(&mut begin)).await.unwrap();
    assert!(begin.starts_with(b"HTTP/1.1 200"));
    stream
}

/// A push to `ids`.
fn push_to(ids: impl IntoIterator<Item = String>) -> String {
    let mut push = data_send("", "hello")["websocket"].take();
    push.as_object_mut().unwrap().remove("secConnectionID");
    push["secConnectionIDs"] = json!(ids.into_iter().collect::<Vec<_>>());
    json!({ "websocket": push }).to_string()
}

/// A push to one connection, with a body of so many bytes.
fn push_of(id: &str, bytes: usize) -> String {
    let mut body = data_send(id, "hello").to_string();
    body.push_str(&" ".repeat(bytes - body.len()));
    body
}

fn long_push() -> Vec<u8> {
    push_to((0..IDS).map(|number| format!("{number:0>ID_BYTES$}"))).into_bytes()
}

fn item(body: &[u8]) -> Vec<u8> {
    [format!("a - {}\n", body.len()).as_bytes(), body, b"\n"].concat()
}

/// A push to a client is carried out although another caller has memory that it needs, and does not
/// read. That caller is disconnected.
async fn check(unread: Unread, push: impl FnOnce(&str) -> String) {
    let settings = format!("push = {{ memory = {MEMORY}, max_body = {MEMORY}, timeout = '20s' }}");
    let runs = GatewayRuns::new(&settings).await;
    let gateway = runs.start().await;
    let mut client = Client::connect(gateway.address("public"), super::runs::PATH).await.unwrap();
    let id = runs.backend.next("register").await.id().to_owned();
    let mut other = push_unread(gateway.address("internal"), &unread).await;
    let url = format!("http://{}/api-test", gateway.address("internal"));
    let answer = crate::support::access::operator().post(url).body(push(&id)).send();
    let answer = soon("the answer to a push", answer).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(client.receive_text().await, "hello");
    // The answer to the other caller has an end, and this is missing.
    let mut rest = Vec::new();
    let _ = soon("the end of the other caller", other.read_to_end(&mut rest)).await;
    let end: &[u8] = if unread.content_type == BATCH { b"0\r\n\r\n" } else { b"}]}" };
    assert!(!rest.ends_with(end), "all {} bytes of the answer have come", rest.len());
    GatewayRuns::end(gateway).await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_its_answer_stops_no_push() {
    let unread = Unread { content_type: JSON, body: long_push(), read: 12 };
    check(unread, |id| push_of(id, MEMORY)).await;
}

/// What has been read of the answer is still in memory, so it counts.
#[tokio::test]
async fn a_caller_that_reads_half_of_its_answer_stops_no_push() {
    let unread = Unread { content_type: JSON, body: long_push(), read: IDS * ID_BYTES / 2 };
    check(unread, |id| push_of(id, MEMORY / 4)).await;
}

/// Short ids take much more memory than they have bytes.
#[tokio::test]
async fn a_caller_that_does_not_read_an_answer_for_many_short_ids_stops_no_push() {
    let short = || iter::repeat_n("x".to_owned(), IDS - 1);
    let unread = Unread { content_type: JSON, body: push_to(short()).into_bytes(), read: 12 };
    check(unread, |id| push_to(short().chain([id.to_owned()]))).await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_the_answers_of_a_batch_stops_no_push() {
    let unread = Unread { content_type: BATCH, body: item(&long_push()), read: 12 };
    check(unread, |id| push_of(id, MEMORY)).await;
}

/// Each answer is short. Most pushes of the batch have not begun.
#[tokio::test]
async fn a_caller_that_does_not_read_many_short_answers_of_a_batch_stops_no_push() {
    let push = push_to(iter::repeat_n("x".to_owned(), 210));
    let items = MEMORY / item(push.as_bytes()).len();
    let unread =
        Unread { content_type: BATCH, body: item(push.as_bytes()).repeat(items), read: 12 };
    check(unread, |id| push_of(id, MEMORY)).await;
}
