//! Trusted proxies in front of the public listener: the address that functions and the log get.

use std::net::Ipv4Addr;

use http::HeaderValue;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::rustls::{pki_types::ServerName, version::TLS13};
use tokio_tungstenite::client_async;

use crate::support::{
    client::request,
    process::Process,
    soon,
    tls::Authority,
    world::{PATH, World},
};

const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const OTHER_PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 9);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 9);
/// The client of a header of version 2 is 192.0.2.1.
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\x12\x67\x01\xbb";
const V1: &[u8] = b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n";

async fn world(settings: &str) -> World {
    let trusted = "trusted = [\"127.0.0.9\", \"127.0.1.0/24\"]";
    World::with("", &format!("[proxies]\n{trusted}\n{settings}")).await
}

async fn stream(world: &World, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(world.listeners.public).await.unwrap()
}

/// The address that register gets for a client with these lines, which connects from `from`.
async fn source(world: &World, from: Ipv4Addr, lines: &[(&'static str, &'static str)]) -> Value {
    let mut request = request(world.listeners.public, PATH);
    for (name, value) in lines {
        request.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    let stream = stream(world, from).await;
    let _client = soon("a handshake", client_async(request, stream)).await.unwrap();
    world.backend.next("register").await.event["requestContext"]["sourceIp"].clone()
}

#[tokio::test]
async fn a_trusted_proxy_says_in_a_header_who_the_client_is_and_nobody_else() {
    const NAME: &str = "x-forwarded-for";
    let world = world("header = \"x-forwarded-for\"").await;
    let lines = [(NAME, "203.0.113.7, 192.0.2.1"), (NAME, "127.0.1.9")];
    assert_eq!(source(&world, PROXY, &lines).await, "192.0.2.1");
    assert_eq!(source(&world, OTHER_PROXY, &[(NAME, "2001:db8::1")]).await, "2001:db8::1");
    assert_eq!(source(&world, PROXY, &[("forwarded", "for=192.0.2.1")]).await, PROXY.to_string());
    assert_eq!(source(&world, STRANGER, &lines).await, STRANGER.to_string());
    world.finish().await;

    let world = self::world("header = \"forwarded\"").await;
    let lines = [("forwarded", "for=203.0.113.7;x=\", for=\"[2001:db8::1]:4711\";by=_edge")];
    assert_eq!(source(&world, PROXY, &lines).await, "2001:db8::1");
    assert_eq!(source(&world, STRANGER, &lines).await, STRANGER.to_string());
    world.finish().await;
}

/// Off by default.
#[tokio::test]
async fn without_settings_no_proxy_is_trusted() {
    let world = World::start().await;
    let lines = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
    assert_eq!(source(&world, Ipv4Addr::LOCALHOST, &lines).await, "127.0.0.1");
    let mut stream = stream(&world, PROXY).await;
    stream.write_all(V1).await.unwrap();
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    world.finish().await;
}

#[tokio::test]
async fn a_trusted_proxy_says_in_the_proxy_protocol_who_the_client_is_and_nobody_else() {
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let world = world(&format!("protocol = true\n{}", authority.table(&["a"]))).await;
    let connector = authority.connector(&[&TLS13]);
    for (from, header, expected) in [
        (PROXY, V2, "192.0.2.1".to_owned()),
        (OTHER_PROXY, V1, "2001:db8::1".to_owned()),
        (STRANGER, &[], STRANGER.to_string()),
    ] {
        let mut stream = stream(&world, from).await;
        stream.write_all(header).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = soon("a TLS handshake", connector.connect(name, stream)).await.unwrap();
        let handshake = Box::pin(client_async(request(world.listeners.public, PATH), stream));
        let _client = soon("a handshake", handshake).await.unwrap();
        let register = world.backend.next("register").await;
        assert_eq!(register.event["requestContext"]["sourceIp"], expected);
    }
    // A stranger with a header, and a proxy without one.
    for (from, header) in [(STRANGER, V2), (STRANGER, V1), (PROXY, &[])] {
        let mut stream = stream(&world, from).await;
        stream.write_all(header).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        soon("an end", connector.connect(name, stream)).await.unwrap_err();
    }
    world.finish().await;
}

/// With both settings, the header of a request counts if the PROXY header names a trusted proxy. It
/// does not if the PROXY header names nobody: the client may have written it.
#[tokio::test]
async fn a_forged_header_does_not_count_behind_a_proxy_that_names_nobody() {
    let world = world("header = \"x-forwarded-for\"\nprotocol = true").await;
    let client = async |header: &[u8]| {
        let mut stream = stream(&world, PROXY).await;
        stream.write_all(header).await.unwrap();
        let mut request = request(world.listeners.public, PATH);
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("192.0.2.66"));
        let _client = soon("a handshake", client_async(request, stream)).await.unwrap();
        world.backend.next("register").await.event["requestContext"]["sourceIp"].clone()
    };
    const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for header in [b"PROXY UNKNOWN\r\n", LOCAL] {
        assert_eq!(client(header).await, PROXY.to_string());
    }
    let of_proxy = b"PROXY TCP4 127.0.1.9 127.0.0.1 4711 443\r\n";
    assert_eq!(client(of_proxy).await, "192.0.2.66");
    assert_eq!(client(V2).await, "192.0.2.1");
    world.finish().await;
}

#[tokio::test]
async fn the_log_says_what_is_wrong_with_a_proxy_and_what_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n\
                    log = { filter = \"info,daemon=debug\" }\n\
                    proxies = { trusted = [\"127.0.0.9\"], header = \"forwarded\", protocol = true }\n\
                    [[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"http://127.0.0.1:9/\"\n";
    std::fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let address = gateway.address("public");
    let send = async |from: Ipv4Addr, text: &'static str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    };
    let request = "GET /x HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\n\r\n";
    let _without = send(PROXY, request).await;
    gateway.logged("a connection of a trusted proxy was closed").await;
    gateway.logged("it does not begin with a PROXY header").await;
    let _stranger = send(STRANGER, request).await;
    gateway.logged("forwarded is ignored: no trusted proxy sent it").await;
    // Of the second one in ten seconds nothing is said.
    let mut second = send(PROXY, "PROXY nonsense\r\n").await;
    let _ = soon("the end", second.read_to_end(&mut Vec::new())).await;
    let lines = gateway.log().matches("a connection of a trusted proxy was closed").count();
    assert_eq!(lines, 1, "{}", gateway.log());
}
