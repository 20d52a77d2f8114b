//! Callers that do not read the answers to their pushes.

use std::net::SocketAddr;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::runs::GatewayRuns;
use crate::support::{client::Client, soon, world::data_send};

/// Ids of one push, none of which exists: the answer names all of them.
const IDS: usize = 10_000;
/// Bytes of each id. All ids take more than the system buffers for a caller that does not read.
const ID_BYTES: usize = 700;
/// `push.memory` of the gateway, which has room for one such push.
const MEMORY: usize = 8 << 20;

/// Begins a push whose answer is long, and reads only the first bytes of the answer.
async fn push_unread(address: SocketAddr, content_type: &str, body: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!(
        "POST /api-test HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut begin = [0; 12];
    soon("the begin of the answer", stream.read_exact(&mut begin)).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    stream
}

/// A push to a client is carried out although another caller holds all memory and does not read.
async fn check(content_type: &str, wrap: impl Fn(Vec<u8>) -> Vec<u8>) {
    let settings = format!("push = {{ memory = {MEMORY}, max_body = {MEMORY}, timeout = '20s' }}");
    let runs = GatewayRuns::new(&settings).await;
    let gateway = runs.start().await;
    let mut client = Client::connect(gateway.address("public"), super::runs::PATH).await.unwrap();
    let id = runs.backend.next("register").await.id().to_owned();
    let ids: Vec<_> = (0..IDS).map(|number| format!("{number:0>ID_BYTES$}")).collect();
    let mut long = data_send("", "x")["websocket"].take();
    long.as_object_mut().unwrap().remove("secConnectionID");
    long["secConnectionIDs"] = json!(ids);
    let long = wrap(json!({ "websocket": long }).to_string().into_bytes());
    let mut unread = push_unread(gateway.address("internal"), content_type, &long).await;
    // It needs more memory than there is beside the answer.
    let mut body = data_send(&id, "hello").to_string();
    body.push_str(&" ".repeat(MEMORY - body.len()));
    let url = format!("http://{}/api-test", gateway.address("internal"));
    let answer = reqwest::Client::new().post(url).body(body).send();
    let answer = soon("the answer to a push", answer).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(client.receive_text().await, "hello");
    // That caller is disconnected, so the end of its answer is missing.
    let mut rest = Vec::new();
    let _ = soon("the end of the other caller", unread.read_to_end(&mut rest)).await;
    assert!(rest.len() < IDS * ID_BYTES, "{} bytes of the answer have come", rest.len());
    GatewayRuns::end(gateway).await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_its_answer_stops_no_push() {
    check("application/json", |body| body).await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_the_answers_of_a_batch_stops_no_push() {
    let wrap = |body: Vec<u8>| {
        let mut item = format!("a - {}\n", body.len()).into_bytes();
        item.extend(body);
        item.push(b'\n');
        item
    };
    check("application/vnd.longhold.batch", wrap).await;
}
