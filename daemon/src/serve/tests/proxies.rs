//! The PROXY protocol in front of HTTP and of TLS, over real sockets.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::ServerName;

use super::*;
use crate::{
    proxies::{ForwardHeader, ProxySettings},
    tls::testing::TestAuthority,
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// An address of this machine that is not trusted.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Proxies at 127.0.0.1 and in 10.0.0.0/8, whose connections begin with a header.
fn proxies() -> Proxies {
    let trusted = ["127.0.0.1/32", "10.0.0.0/8"].map(|text| text.parse().unwrap()).to_vec();
    let header = Some(ForwardHeader::XForwardedFor);
    Proxies::new(ProxySettings { trusted, header, protocol: true })
}

async fn start() -> TestServer {
    TestServer::behind(proxies(), None, HOUR, greet).await
}

/// A header of version 2: its command, its family, and what follows the length.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, rest].concat()
}

/// Addresses of IPv4: the client is 192.0.2.1, port 4711.
const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 1, 187];

/// What the server answers to `header` and a request in one piece.
async fn answer(server: &TestServer, header: &[u8]) -> String {
    let mut client = TestClient::connect(server).await;
    client.send_bytes(&[header, REQUEST].concat()).await;
    client.receive_all().await
}

#[tokio::test]
async fn the_client_of_a_header_is_the_client_of_the_requests() {
    let server = start().await;
    let ipv6 =
        [&[0x20, 1, 0xd, 0xb8], &[0; 11][..], &[1], &[0; 16], &[0x12, 0x67, 1, 187]].concat();
    let tlv = [&[4, 0, 3][..], b"xyz", &[0x20, 1, 0], &[7; 256]].concat();
    let unix = [b'/'; 216];
    for (header, client) in [
        (b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n".to_vec(), Some("192.0.2.1:4711")),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n".to_vec(), Some("[2001:db8::1]:4711")),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN ffff::1 of any text\r\n".to_vec(), None),
        (v2(0x21, 0x11, &IPV4), Some("192.0.2.1:4711")),
        (v2(0x21, 0x11, &[&IPV4[..], &tlv].concat()), Some("192.0.2.1:4711")),
        (v2(0x21, 0x21, &ipv6), Some("[2001:db8::1]:4711")),
        (v2(0x21, 0x31, &unix), None),
        (v2(0x21, 0x00, &tlv), None),
        (v2(0x20, 0x11, &IPV4), None),
        (v2(0x20, 0x00, &[]), None),
        // Of what the proxy asks for itself, nothing is looked at.
        (v2(0x20, 0xff, b"any"), None),
    ] {
        let text = answer(&server, &header).await;
        let client = client.unwrap_or("127.0.0.1:");
        assert!(text.contains(&format!("hello {client}")), "{header:?}: {text}");
    }
    server.end().await;
}

/// Each byte comes alone, and what follows is not read with it.
#[tokio::test]
async fn a_header_may_come_in_pieces() {
    let server = start().await;
    let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n".to_vec();
    for header in [v1, v2(0x21, 0x11, &IPV4)] {
        let mut stream = TestClient::connect(&server).await.into_stream();
        stream.set_nodelay(true).unwrap();
        for byte in header.iter().chain(REQUEST) {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut text = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        assert!(text.contains("hello 192.0.2.1:4711"), "{text}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_connection_of_a_proxy_without_a_right_header_is_closed() {
    let server = start().await;
    let long = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 107]].concat();
    for header in [
        b"".to_vec(),
        b"PROXY".to_vec(),
        b"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\n".to_vec(),
        b"PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.1 198.51.100.1 4711 443\r\n".to_vec(),
        b"proxy TCP4 192.0.2.1 198.51.100.1 4711 443\r\n".to_vec(),
        b" PROXY UNKNOWN\r\n".to_vec(),
        [long, b"\r\n".to_vec()].concat(),
        v2(0x21, 0x11, &IPV4[1..]),
        v2(0x11, 0x11, &IPV4),
        v2(0x22, 0x11, &IPV4),
        v2(0x21, 0x41, &IPV4),
        v2(0x21, 0x11, &[0; 8192]),
        v2(0x20, 0x11, &[0; 8192]),
    ] {
        let mut client = TestClient::connect(&server).await;
        client.send_bytes(&[&header, REQUEST].concat()).await;
        // Nothing is answered, whatever the system says of bytes that were not read.
        client.closed().await;
    }
    // A header that ends early.
    for header in [&b""[..], b"PROXY TCP4 192.0.2.1", &v2(0x21, 0x11, &IPV4)[..20]] {
        let mut client = TestClient::connect(&server).await;
        client.send_bytes(header).await;
        client.finish().await;
        client.closed().await;
    }
    server.end().await;
}

/// Whom the settings do not trust speaks HTTP at once, and a header is no HTTP.
#[tokio::test]
async fn a_stranger_cannot_say_who_the_client_is() {
    let server = start().await;
    let mut client = TestClient::connect_from(STRANGER, &server).await;
    let forged = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    client.send(forged).await;
    let expected = format!("hello {}!", client.address());
    client.receive_until(&expected).await;

    for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0x21, 0x11, &IPV4)] {
        let mut client = TestClient::connect_from(STRANGER, &server).await;
        client.send_bytes(&[&header, REQUEST].concat()).await;
        let answer = client.receive_all().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    server.end().await;
}

/// A balancer of connections in front of a proxy that knows HTTP.
#[tokio::test]
async fn a_header_of_http_counts_if_the_client_of_the_connection_is_a_proxy() {
    let server = start().await;
    for (address, expected) in [("10.0.0.1", "192.0.2.1:0"), ("192.0.2.9", "192.0.2.9:4711")] {
        let mut client = TestClient::connect(&server).await;
        client.send(&format!("PROXY TCP4 {address} 198.51.100.1 4711 443\r\n")).await;
        client
            .send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
            .await;
        client.receive_until(&format!("hello {expected}!")).await;
    }
    server.end().await;
}

/// The proxy does not say whose bytes it passes on: whoever sent them may have written the header.
#[tokio::test]
async fn no_header_of_http_counts_if_the_proxy_does_not_name_its_client() {
    let server = start().await;
    for header in [
        b"PROXY UNKNOWN\r\n".to_vec(),
        v2(0x20, 0x11, &IPV4),
        v2(0x20, 0x00, &[]),
        v2(0x21, 0x00, &[]),
        v2(0x21, 0x31, &[b'/'; 216]),
    ] {
        let mut client = TestClient::connect(&server).await;
        client.send_bytes(&header).await;
        client
            .send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
            .await;
        let expected = format!("hello {}!", client.address());
        client.receive_until(&expected).await;
    }
    server.end().await;
}

#[tokio::test]
async fn the_header_comes_before_the_handshake_of_tls() {
    let authority = TestAuthority::new();
    authority.issue("a", &["localhost"]);
    let tls = authority.open("cert = \"a.pem\"\nkey = \"a.key\"").unwrap();
    let server = TestServer::behind(proxies(), tls, HOUR, greet).await;
    let mut client = TestClient::connect(&server).await;
    client.send("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n").await;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = authority.connector().connect(name, client.into_stream());
    let mut stream = timeout(DEADLINE, stream).await.unwrap().unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let mut text = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.contains("hello 192.0.2.1:4711"), "{text}");
    server.end().await;
}

#[tokio::test]
async fn a_header_that_does_not_come_in_time_or_before_the_stop_ends_its_connection() {
    let server = TestServer::behind(proxies(), None, Duration::from_millis(250), greet).await;
    let mut silent = TestClient::connect(&server).await;
    let mut slow = TestClient::connect(&server).await;
    slow.send("PROXY TCP4 ").await;
    silent.closed().await;
    slow.closed().await;
    server.end().await;

    let server = start().await;
    let mut silent = TestClient::connect(&server).await;
    server.stop.cancel();
    silent.closed().await;
    server.ended().await;
}
