//! The rules by path of docs/operations.md: no spelling of a path passes by the rule of a proxy and
//! reaches the API behind it.

use std::{fs, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    blocks::named,
    has,
    proxies::{CADDY, DOCUMENT, nginx, sample, write_nginx},
};
use crate::support::{
    program::{own_address, start},
    soon,
    world::{PATH, World},
};

/// What the API of the gateway answers to a request that is no handshake.
const OF_THE_API: &str = "need header Sec-WebSocket-Key.";

/// Paths that the gateway takes for that of the API, or for one below it.
const SPELLINGS: [&str; 12] = [
    "/release/test",
    "/release/test/x",
    "//release/test",
    "/release//test",
    "/%72elease/test",
    "/x/../release/test",
    "/x/%2e%2E/release/./test",
    "/x%2Fy/../release/test",
    "/x%2fy/%2E./release/test",
    "/release/x//../../test",
    "/release/test%2F..%2Fother",
    "/release/other%2Fx/../test?a=/../b",
];

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// `proxy` keeps clients from the API, and passes everything else on.
async fn check(world: World, proxy: SocketAddr) {
    for path in SPELLINGS {
        let answer = get(world.listeners.public, path).await;
        assert!(answer.contains(OF_THE_API), "{path}: {answer}");
        let answer = get(proxy, path).await;
        assert!(!answer.contains(OF_THE_API), "{path} passes by the rule: {answer}");
    }
    let answer = get(proxy, "/release/other?a=/../b").await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("/release/other"), "{answer}");
    world.finish().await;
}

#[tokio::test]
async fn no_spelling_of_a_path_passes_by_a_location_of_nginx() {
    if !has("nginx", "nginx-light") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (world, address) = (World::start().await, own_address());
    let changes =
        [("127.0.0.1:9000", &*world.listeners.public.to_string()), ("/release/admin", PATH)];
    let rules = sample(&named(DOCUMENT, "nginx", "rules.conf"), &changes);
    let site = format!("server {{ listen {address}; {rules} }}");
    write_nginx(&folder, "events {}", &site);
    let _nginx = start(&folder, address, "nginx", &nginx(&folder)).await;
    check(world, address).await;
}

#[tokio::test]
async fn no_spelling_of_a_path_passes_by_a_matcher_of_caddy() {
    if !has("caddy", "caddy") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (world, address) = (World::start().await, own_address());
    let site = format!("http://{address} {{\nbind {}\n", address.ip());
    let changes = [
        ("chat.example.com {\n", &*site),
        ("127.0.0.1:9000", &world.listeners.public.to_string()),
        ("/release/admin", PATH),
    ];
    let text = sample(&named(DOCUMENT, "caddyfile", "rules"), &changes);
    let options = "{\nadmin off\nauto_https off\n}\n";
    fs::write(folder.path().join("Caddyfile"), format!("{options}{text}")).unwrap();
    let _caddy = start(&folder, address, "caddy", &CADDY).await;
    check(world, address).await;
}
