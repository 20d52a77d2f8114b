//! TLS on the public listener: WebSockets, certificates by name, and sessions that are resumed.

mod acme;
mod dev;
mod exchange;
mod unreadable;

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        HandshakeKind, SupportedProtocolVersion,
        version::{TLS12, TLS13},
    },
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    process::run,
    soon,
    tls::{Authority, TlsClient, connect, shown, websocket},
    world::{PATH, World, data_send},
};

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// The client sends a text, and gets a pushed one, of more than a record of TLS.
async fn talk(world: &World, client: &mut TlsClient) {
    client.send(Message::text("hi")).await.unwrap();
    let call = world.backend.next("transmit").await;
    assert_eq!(call.event["websocket"]["data"], json!("hi"));
    let id = call.event["websocket"]["secConnectionID"].as_str().unwrap().to_owned();
    let text = "x".repeat(100_000);
    let received = async {
        let message = soon("a message", client.next()).await.unwrap().unwrap();
        assert_eq!(message, Message::text(text.clone()));
    };
    let ((status, answer), ()) = tokio::join!(world.push(data_send(&id, &text)), received);
    assert_eq!((status, &answer["errNo"]), (200, &json!(0)));
}

#[tokio::test]
async fn a_websocket_works_over_both_versions_of_tls_and_ends_in_order() {
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let world = World::with("", &authority.table(&["a"])).await;
    for version in BOTH {
        let connector = authority.connector(&[version]);
        let mut client = websocket(&connector, world.listeners.public, PATH).await;
        let session = client.get_ref().get_ref().1;
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
        talk(&world, &mut client).await;
        client.close(None).await.unwrap();
        while let Some(message) = soon("the end", client.next()).await {
            message.unwrap();
        }
        // An end without that of TLS would be an error here.
        let mut stream = client.into_inner();
        let mut rest = Vec::new();
        assert_eq!(soon("the end of TLS", stream.read_to_end(&mut rest)).await.unwrap(), 0);
    }
    world.finish().await;
}

#[tokio::test]
async fn the_name_that_a_client_asks_for_chooses_the_certificate() {
    let authority = Authority::new();
    let first = authority.issue("a", &["a.example", "x.b.example", "localhost", "127.0.0.1"]);
    let second = authority.issue("b", &["*.b.example"]);
    let world = World::with("", &authority.table(&["a", "b"])).await;
    let connector = authority.connector(&BOTH);
    let names = [
        ("a.example", &first),
        ("other.b.example", &second),
        ("OTHER.b.example", &second),
        ("x.b.example", &first),
        ("127.0.0.1", &first),
    ];
    for (name, certificate) in names {
        let stream = connect(&connector, world.listeners.public, name).await;
        assert_eq!(&shown(&stream), certificate, "{name}");
    }
    world.finish().await;
}

/// Connects, and reads an answer: tickets of TLS 1.3 come with the first one.
async fn ask(
    connector: &TlsConnector,
    address: SocketAddr,
) -> (TlsStream<TcpStream>, HandshakeKind) {
    let mut stream = connect(connector, address, "localhost").await;
    stream.write_all(b"GET /~/healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(soon("an answer", stream.read_u8()).await.unwrap(), b'H');
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    (stream, kind)
}

#[tokio::test]
async fn a_client_that_comes_again_resumes_its_session() {
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let world = World::with("", &authority.table(&["a"])).await;
    for version in BOTH {
        let connector = authority.connector(&[version]);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            assert_eq!(ask(&connector, world.listeners.public).await.1, expected);
        }
    }
    world.finish().await;
}

/// Such a start is not tried again by systemd: what the settings name has to be changed.
#[tokio::test]
async fn a_certificate_that_cannot_be_used_ends_the_start_with_exit_code_2() {
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    authority.issue("b", &["localhost"]);
    let api = "[[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
    let mixed = authority.table(&["a"]).replace("a.key", "b.key");
    authority.write("gateway.toml", &format!("{api}{mixed}"));
    authority.write(
        "functions.toml",
        "[functions.x]\nruntime = \"rust\"\nhandler = \"echo\"\n\
                 environment = { url = \"${push}/x\" }\n",
    );
    let folder = authority.path("");
    for binary in ["gateway", "longhold"] {
        let arguments: &[&str] = if binary == "gateway" { &[] } else { &["--config-dir", "."] };
        let exit = run(binary, arguments, &folder, &[]).await;
        assert_eq!(exit.status.code(), Some(2), "{binary}: {}", exit.stderr);
        assert!(exit.stderr.contains("gateway.toml: tls.key: the key in "), "{}", exit.stderr);
    }
}
