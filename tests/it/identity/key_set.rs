//! Key sets at a URL: fetched, kept while the issuer is away, and missed when there never were any.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    handshake, message, refused,
    token::{bearer, text, tokens},
};
use crate::support::{
    backend::Backend,
    client::{Client, request},
    process::Process,
    soon,
    world::{PATH, World},
};

/// An issuer that publishes its keys. Each path has an answer; a path without one never answers.
struct Issuer {
    url: String,
    answers: Arc<Mutex<HashMap<String, String>>>,
    serving: JoinHandle<()>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Arc<Mutex<HashMap<String, String>>> = Arc::default();
        let known = Arc::clone(&answers);
        let serving = tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let path = path(&mut stream).await;
                let answer = known.lock().unwrap().get(&path).cloned();
                match answer {
                    // The gateway may have had enough of a long answer.
                    Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                    None => silent.push(stream),
                }
            }
        });
        Self { url, answers, serving }
    }

    fn answers(&self, path: &str, status: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn path(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// The settings of an API whose keys are at this URL.
fn auth(url: &str) -> String {
    format!("auth = \"jwt\"\n[api.jwt]\naudience = [\"chat\"]\njwks_url = \"{url}\"")
}

fn token(tokens: &Value) -> (&'static str, String) {
    bearer(text(&tokens["signed"], "ES384"))
}

#[tokio::test]
async fn keys_at_a_url_let_clients_in_and_go_on_while_the_issuer_is_away() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let issuer = Issuer::start().await;
    issuer.answers("/jwks", "200 OK", &tokens["set"].to_string());
    let world = World::with(&auth(&format!("{}/jwks", issuer.url)), "").await;
    let (name, value) = token(&tokens);
    let connect = || Client::connect_with(handshake(&world, PATH, &[(name, &value)]));
    // The very first client waits for the keys.
    let _client = connect().await.unwrap_or_else(|refused| panic!("{refused:?}"));
    drop(issuer);
    let _client = connect().await.unwrap_or_else(|refused| panic!("{refused:?}"));
    for _ in 0..2 {
        world.backend.next("register").await;
    }
    // A secret in a public set is nobody's secret.
    let (name, forged) = bearer(text(&tokens["signed"], "HS256"));
    let answer = refused(&world, handshake(&world, PATH, &[(name, &forged)])).await;
    assert_eq!(
        (answer.status().as_u16(), &*message(&answer)),
        (401, "the key of the token (kid) is not known")
    );
    world.finish().await;
}

#[tokio::test]
async fn clients_are_refused_with_503_until_there_are_keys() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let issuer = Issuer::start().await;
    issuer.answers("/jwks", "500 Internal Server Error", "");
    let world = World::with(&auth(&format!("{}/jwks", issuer.url)), "").await;
    let (name, value) = token(&tokens);
    let request = || handshake(&world, PATH, &[(name, &value)]);
    let answer = refused(&world, request()).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    // Other APIs of this gateway can be used.
    assert_eq!(world.get("/readyz").await, 200);
    issuer.answers("/jwks", "200 OK", &tokens["set"].to_string());
    loop {
        match Client::connect_with(request()).await {
            Ok(_client) => break,
            Err(refused) => assert_eq!(refused.status(), 503),
        }
    }
    world.backend.next("register").await;
    world.finish().await;
}

#[tokio::test]
async fn an_answer_that_is_no_key_set_is_not_taken() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let issuer = Issuer::start().await;
    let set = tokens["set"].to_string();
    issuer.answers("/long", "200 OK", &format!("{set}{}", " ".repeat(300 << 10)));
    issuer.answers("/text", "200 OK", "hello");
    issuer.answers("/error", "200 OK", "{\"error\":\"away\"}");
    issuer.answers("/moved", &format!("302 Found\r\nLocation: {}/good", issuer.url), "");
    issuer.answers("/good", "200 OK", &set);
    let names = ["long", "text", "error", "moved", "silent"];
    let api = |name| {
        let auth = auth(&format!("{}/{name}", issuer.url));
        format!(
            "[[api]]\nid = \"{name}\"\npath = \"/{name}\"\ntransmit = \"BACKEND/transmit\"\n{auth}\n"
        )
    };
    let apis: String = names.into_iter().chain(["good"]).map(api).collect();
    let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
    let world = World::launch(Backend::start().await, &format!("{listen}{apis}")).await;
    let (name, value) = token(&tokens);
    for path in names {
        let path = format!("/{path}");
        let answer = refused(&world, handshake(&world, &path, &[(name, &value)])).await;
        assert_eq!(answer.status(), 503, "{path}");
    }
    let good = Client::connect_with(handshake(&world, "/good", &[(name, &value)])).await;
    assert!(good.is_ok());
    world.finish().await;
}

/// A set without a key that can be used is an answer, and not the lack of one.
#[tokio::test]
async fn an_issuer_without_keys_lets_nobody_in() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let issuer = Issuer::start().await;
    issuer.answers("/empty", "200 OK", "{\"keys\":[]}");
    issuer.answers("/secret", "200 OK", &format!("{{\"keys\":[{}]}}", tokens["set"]["keys"][0]));
    let (name, value) = token(&tokens);
    for path in ["empty", "secret"] {
        let world = World::with(&auth(&format!("{}/{path}", issuer.url)), "").await;
        let answer = refused(&world, handshake(&world, PATH, &[(name, &value)])).await;
        assert_eq!(
            (answer.status().as_u16(), &*message(&answer)),
            (401, "the key of the token (kid) is not known"),
            "{path}"
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn an_issuer_rotates_and_revokes_its_keys_and_the_log_says_so() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let issuer = Issuer::start().await;
    // A secret, RSA, P-256, P-384 and Ed25519.
    let keys = tokens["set"]["keys"].as_array().unwrap();
    let offer = |keys: &[&Value]| {
        issuer.answers("/jwks", "200 OK", &serde_json::json!({ "keys": keys }).to_string());
    };
    offer(&[&keys[2]]);
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n[[api]]\nid = \"a\"\n\
         path = \"{PATH}\"\ntransmit = \"x\"\n{}",
        auth(&format!("{}/jwks", issuer.url))
    );
    std::fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let status = |algorithm: &str| {
        let mut request = request(gateway.address("public"), PATH);
        let (name, value) = bearer(text(&tokens["signed"], algorithm));
        request.headers_mut().insert(name, value.parse().unwrap());
        // Boxed, because the future is large.
        let connecting = Box::pin(Client::connect_with(request));
        async move { connecting.await.map_or_else(|refused| refused.status().as_u16(), |_| 101) }
    };
    let until = |algorithm, expected| {
        soon("the new keys", async move {
            // A token whose key is not known has the keys fetched, once in 5 s.
            while status(algorithm).await != expected {
                status("HS256").await;
            }
        })
    };
    assert_eq!([status("ES256").await, status("ES384").await], [101, 401]);
    offer(&[&keys[3]]);
    until("ES384", 101).await;
    assert_eq!(status("ES256").await, 401);
    offer(&[]);
    until("ES384", 401).await;
    gateway
        .logged("were fetched, and none can be used: all tokens that need them are refused")
        .await;
    issuer.answers("/jwks", "500 Internal Server Error", "");
    soon("a fetch that fails", async {
        while !gateway.log().contains("the last ones stay in use") {
            status("HS256").await;
        }
    })
    .await;
    let log = gateway.log();
    assert_eq!(log.matches("the last ones stay in use").count(), 1, "{log}");
}
