//! A client that sends any bytes and reads one answer to its end.

use std::{collections::HashMap, net::SocketAddr, time::SystemTime};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer, unchanged.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body, which must be JSON and say so.
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The id, which every answer to an invocation has.
    pub(super) fn request_id(&self) -> &str {
        &self.headers["x-scf-request-id"]
    }
}

/// The token of the operator in these tests.
pub(super) const OPERATOR: &str = "the-operators-token-in-tests";
/// The token of services in these tests.
pub(super) const SERVICE: &str = "the-services-token-in-tests";

/// The bytes of an invocation of `name` with `event`; `headers` end with a line break each.
pub(super) fn invocation(name: &str, headers: &str, event: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /functions/{name}/invocations HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: Bearer {SERVICE}\r\ncontent-length: {}\r\n{headers}\r\n",
        event.len()
    );
    [head.as_bytes(), event].concat()
}

/// The headers of a request for the action, signed at this time with the secret id `id` and a wrong
/// key.
pub(super) fn signed_now(id: &str, signed_headers: &str) -> String {
    let now = SystemTime::now();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let date = humantime::format_rfc3339_seconds(now).to_string();
    format!(
        "authorization: TC3-HMAC-SHA256 Credential={id}/{}/scf/tc3_request, \
         SignedHeaders={signed_headers}, Signature=00\r\nx-tc-timestamp: {seconds}\r\n",
        &date[..10]
    )
}

/// Connects and sends. The answer is not read.
pub(super) async fn send(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

/// Reads the answer, and the end of the connection.
pub(super) async fn receive(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let head = str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    };
    Answer { status, headers: lines.map(header).collect(), body: bytes[end + 4..].to_vec() }
}
