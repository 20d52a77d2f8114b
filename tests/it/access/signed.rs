//! Credentials that are signed: the pair of the cloud API, and the tokens of clients. Each opens
//! what it is for, and nothing that access tokens open.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use function_runner::{Runner, Settings, serve};
use functions::Catalog;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::support::{
    access::{self, OPERATOR, SERVICE},
    client::{Client, request},
    soon,
    world::{PATH, World, data_send},
};

const ID: &str = "AKIDtest";
const KEY: &str = "the-key-of-the-pair-of-the-cloud-api";
const OTHER_KEY: &str = "the-key-of-another-pair-of-the-cloud";

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The date of `now` as the signature has it.
fn date(now: SystemTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let text = httpdate::fmt_http_date(now);
    let parts: Vec<_> = text.split(' ').collect();
    let month = MONTHS.find(parts[2]).unwrap() / 3 + 1;
    format!("{}-{month:02}-{}", parts[3], parts[1])
}

/// The header `Authorization` of a request to `host` (TC3-HMAC-SHA256).
fn signature(id: &str, key: &str, host: &str, body: &str, now: SystemTime) -> String {
    let (date, seconds) = (date(now), now.duration_since(UNIX_EPOCH).unwrap().as_secs());
    let hash = |text: &str| hex(&Sha256::digest(text));
    let request = format!(
        "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
        hash(body)
    );
    let scope = format!("{date}/scf/tc3_request");
    let signed = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", hash(&request));
    let seed = format!("TC3{key}").into_bytes();
    let key = [&*date, "scf", "tc3_request"].iter().fold(seed, |key, part| mac(&key, part));
    format!(
        "TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=content-type;host, Signature={}",
        hex(&mac(&key, &signed))
    )
}

#[tokio::test]
async fn the_cloud_api_is_for_those_who_sign_with_its_pair() {
    let push = BTreeMap::from([("push".to_owned(), "http://127.0.0.1:1".to_owned())]);
    let text = format!(
        "[invoke]\nsecret_id = {ID:?}\nsecret_key = {KEY:?}\n{}",
        include_str!("../../../functions.toml")
    );
    let (file, catalog) = (Path::new("functions.toml"), Catalog::built_in());
    let mut settings = Settings::parse(file, &text, &BTreeMap::new(), &push, &catalog).unwrap();
    settings.access = access::given();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let serving = serve(Runner::start(settings).unwrap(), listener, CancellationToken::new());
    let _serving = AbortOnDropHandle::new(tokio::spawn(serving));

    let (now, body) = (SystemTime::now(), r#"{"FunctionName":"nobody"}"#);
    let long_ago = now - Duration::from_secs(3600);
    let signed = |id: &str, key: &str| signature(id, key, &host, body, now);
    for (authorization, at, code) in [
        // The signature is right, and there is no such function.
        (Some(signed(ID, KEY)), now, "ResourceNotFound.Function"),
        (Some(signed(ID, OTHER_KEY)), now, "AuthFailure.SignatureFailure"),
        (Some(signed("AKIDother", KEY)), now, "AuthFailure.SecretIdNotFound"),
        (
            Some(signature(ID, KEY, &host, r#"{"FunctionName":"other"}"#, now)),
            now,
            "AuthFailure.SignatureFailure",
        ),
        (Some(signature(ID, KEY, &host, body, long_ago)), long_ago, "AuthFailure.SignatureExpire"),
        (Some(format!("Bearer {OPERATOR}")), now, "AuthFailure.InvalidAuthorization"),
        (Some(format!("Bearer {SERVICE}")), now, "AuthFailure.InvalidAuthorization"),
        (None, now, "AuthFailure.InvalidAuthorization"),
    ] {
        let mut request = reqwest::Client::new()
            .post(format!("http://{host}/"))
            .header("content-type", "application/json")
            .header("x-tc-action", "Invoke")
            .header("x-tc-version", "2018-04-16")
            .header("x-tc-timestamp", at.duration_since(UNIX_EPOCH).unwrap().as_secs())
            .body(body);
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        let answer = soon("an answer", request.send()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["Response"]["Error"]["Code"], code, "{authorization:?}: {answer}");
    }
    // The pair opens nothing else.
    let url = format!("http://{host}/functions");
    let request = reqwest::Client::new().get(url).header("authorization", signed(ID, KEY));
    assert_eq!(soon("an answer", request.send()).await.unwrap().status(), 401);
}

const SECRET: &str = "the-secret-that-signs-the-tokens-of-clients";

/// A token of a client that expires at `exp`.
fn client_token(exp: SystemTime) -> String {
    let exp = exp.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let parts = [json!({ "alg": "HS256" }), json!({ "sub": "anna", "exp": exp })];
    let text = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = URL_SAFE_NO_PAD.encode(mac(SECRET.as_bytes(), &text));
    format!("{text}.{signature}")
}

#[tokio::test]
async fn an_api_with_tokens_is_for_clients_whose_token_has_not_expired() {
    const HOUR: Duration = Duration::from_secs(3600);
    let push = "the-push-token-of-api-test";
    let world = World::with(
        &format!("auth = \"jwt\"\njwt = {{ secret = {SECRET:?} }}"),
        &format!(
            "[push]\nauth = \"token\"\ntokens = [{{ apis = [\"api-test\"], token = {push:?} }}]"
        ),
    )
    .await;
    let now = SystemTime::now();
    let (good, expired) = (client_token(now + HOUR), client_token(now - HOUR));
    for (token, expected) in [
        (Some(&*good), 101),
        (Some(&*expired), 401),
        (Some(push), 401),
        (Some(SERVICE), 401),
        (Some(OPERATOR), 401),
        (None, 401),
    ] {
        let mut request = request(world.listeners.public, PATH);
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let status = match Client::connect_with(request).await {
            Ok(_) => 101,
            Err(refused) => refused.status().as_u16(),
        };
        assert_eq!(status, expected, "{token:?}");
    }
    // Nor does the token of a client open the internal listener.
    for (path, expected) in [("api-test", 401), ("cleanups", 401)] {
        let url = format!("http://{}/{path}", world.listeners.internal);
        let request = reqwest::Client::new().post(url).bearer_auth(&good);
        let request = request.body(data_send("nobody", "hi").to_string());
        assert_eq!(soon("an answer", request.send()).await.unwrap().status(), expected, "{path}");
    }
    world.finish().await;
}

/// Register decides; the later events have nothing of it.
#[tokio::test]
async fn what_a_token_says_reaches_register_alone() {
    let world = World::with(&format!("auth = \"jwt\"\njwt = {{ secret = {SECRET:?} }}"), "").await;
    let token = client_token(SystemTime::now() + Duration::from_secs(3600));
    let mut request = request(world.listeners.public, PATH);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut client = Client::connect_with(request).await.unwrap();
    let register = world.backend.next("register").await.event;
    assert_eq!(register["requestContext"]["identity"]["claims"]["sub"], "anna");
    client.send("hi").await;
    let transmit = world.backend.next("transmit").await.event;
    drop(client);
    let cleanup = world.backend.next("cleanup").await.event;
    let id = &register["websocket"]["secConnectionID"];
    for event in [transmit, cleanup] {
        assert_eq!(event["websocket"]["secConnectionID"], *id);
        let text = event.to_string();
        assert!(!text.contains("anna") && !text.contains("identity"), "{event}");
    }
    world.finish().await;
}
