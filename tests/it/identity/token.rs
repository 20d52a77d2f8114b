//! JSON Web Tokens, made by `PyJWT` for every algorithm, and forged ones.

use std::{env, fs};

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{challenge, handshake, identity, message, refused};
use crate::support::{
    backend::{Backend, Reply},
    client::{self, Client},
    process::Process,
    python,
    world::{PATH, World},
};

const SCRIPT: &str = include_str!("tokens.py");

/// Keys and tokens. None without `PyJWT`. Forged tokens name `url` as the place of their key.
pub(super) async fn tokens(url: &str) -> Option<Value> {
    let Ok(python) = env::var("LONGHOLD_CLOUD_PYTHON") else {
        skipped::without("set LONGHOLD_CLOUD_PYTHON to a python3 with the package PyJWT[crypto]");
        return None;
    };
    Some(
        python::run(&python, &SCRIPT.replace("sys.argv[1]", &format!("{url:?}")), &json!(null))
            .await,
    )
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

/// The settings of `api-test` at [`PATH`], with these lines in its `[api.jwt]`.
pub(super) fn api(lines: &str) -> String {
    format!(
        "auth = \"jwt\"\n[api.jwt]\nissuer = [\"https://issuer.example\"]\naudience = [\"chat\"]\n{lines}"
    )
}

/// The line for a public key in PEM.
pub(super) fn pem(tokens: &Value, name: &str) -> String {
    format!("key = \"\"\"\n{}\"\"\"\n", text(&tokens["pems"], name))
}

/// The lines for all keys, in a file.
fn set(tokens: &Value) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    fs::write(&file, tokens["set"].to_string()).unwrap();
    (folder, format!("key_file = \"{}\"\n", file.display()))
}

pub(super) fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// The identity that register learns of a client with this token.
async fn identity_of(world: &World, token: &str) -> Value {
    let (name, value) = bearer(token);
    identity(world, &[(name, &value)]).await
}

#[tokio::test]
async fn a_token_of_every_algorithm_is_taken_and_register_learns_its_claims() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let claims = json!({ "claims": tokens["claims"] });
    // Each algorithm with a key of its own, in PEM or as a secret.
    for (algorithm, key) in tokens["algorithms"].as_object().unwrap() {
        let key = match key.as_str().unwrap() {
            "oct" => format!("secret = \"{}\"", text(&tokens, "secret")),
            name => pem(&tokens, name),
        };
        let world = World::with(&api(&key), "").await;
        let token = text(&tokens["unnamed"], algorithm);
        assert_eq!(identity_of(&world, token).await, claims, "{algorithm}");
        world.finish().await;
    }
    // All of them with one set, which has the key that the token names.
    let (_folder, file) = set(&tokens);
    let world = World::with(&api(&file), "").await;
    for (algorithm, token) in tokens["signed"].as_object().unwrap() {
        assert_eq!(identity_of(&world, token.as_str().unwrap()).await, claims, "{algorithm}");
    }
    for token in
        tokens["leeway"].as_array().unwrap().iter().chain([&tokens["lists"], &tokens["long"]])
    {
        let identity = identity_of(&world, token.as_str().unwrap()).await;
        assert_eq!(identity["claims"]["sub"], "anna");
    }
    world.finish().await;
    let world = World::with(&api(&format!("{file}require_expiry = false")), "").await;
    assert_eq!(identity_of(&world, text(&tokens, "endless")).await["claims"]["sub"], "anna");
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_the_key_that_it_names_is_not_fetched() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let Some(tokens) = tokens(&url).await else { return };
    let world = World::with(&api(&pem(&tokens, "rsa")), "").await;
    for (name, token) in tokens["wrong"].as_object().unwrap() {
        let token = token.as_str().unwrap();
        let (header, value) = bearer(token);
        let refused = refused(&world, handshake(&world, PATH, &[(header, &value)])).await;
        assert_eq!(refused.status(), 401, "{name}");
        let message = message(&refused);
        let expected = format!(
            "Bearer realm=\"api-test\", error=\"invalid_token\", error_description=\"{message}\""
        );
        assert_eq!(challenge(&refused), expected, "{name}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    // The same forged tokens, where a key set has a secret among its public keys.
    let (_folder, file) = set(&tokens);
    let other = World::with(&api(&file), "").await;
    for name in ["secret is public key", "kid is a path", "kid is SQL", "other key at jku"] {
        let (header, value) = bearer(text(&tokens["wrong"], name));
        let refused = refused(&other, handshake(&other, PATH, &[(header, &value)])).await;
        assert_eq!(refused.status(), 401, "{name}");
    }
    let asked = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
    assert!(asked.is_err(), "a key was fetched from where a token said");
    world.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn the_reason_of_a_refusal_says_which_claim_does_not_fit() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let world = World::with(&api(&pem(&tokens, "rsa")), "").await;
    for (name, words) in [
        ("expired", "the token has expired (exp)"),
        ("not yet", "the token is not valid yet (nbf)"),
        ("other issuer", "the token is of another issuer (iss)"),
        ("other audience", "the token is for another audience (aud)"),
        ("no exp", "the token lacks one of exp, iss and aud"),
        ("other key", "the signature of the token cannot be verified"),
        ("HS of another", "the algorithm of the token is not that of the key"),
        ("crit", "the token has an extension (crit) that is not known"),
        ("huge", "the token is longer than 8 KiB"),
    ] {
        let (header, value) = bearer(text(&tokens["wrong"], name));
        let refused = refused(&world, handshake(&world, PATH, &[(header, &value)])).await;
        assert_eq!(message(&refused), words, "{name}");
    }
    world.finish().await;
    // An API that names no audience takes no token that is meant for somebody.
    let lines = format!("auth = \"jwt\"\n[api.jwt]\n{}", pem(&tokens, "rsa"));
    let world = World::with(&lines, "").await;
    for (name, token) in [
        ("aud", &tokens["unnamed"]["RS256"]),
        ("object", &tokens["wrong"]["audience is an object"]),
    ] {
        let (header, value) = bearer(token.as_str().unwrap());
        let refused = refused(&world, handshake(&world, PATH, &[(header, &value)])).await;
        assert_eq!(message(&refused), "the token is for another audience (aud)", "{name}");
    }
    assert_eq!(
        identity_of(&world, text(&tokens["wrong"], "no audience")).await["claims"]["sub"],
        "anna"
    );
    world.finish().await;
}

/// An issuer signs other kinds of tokens with the same keys.
#[tokio::test]
async fn a_token_of_another_type_is_refused_if_the_settings_name_types() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    for types in ["at+jwt", "application/AT+jwt"] {
        let lines = format!("{}types = [\"other\", {types:?}]", pem(&tokens, "rsa"));
        let world = World::with(&api(&lines), "").await;
        for (name, token) in tokens["typed"].as_object().unwrap() {
            let identity = identity_of(&world, token.as_str().unwrap()).await;
            assert_eq!(identity["claims"]["sub"], "anna", "{name}");
        }
        for (name, token) in tokens["otherwise typed"].as_object().unwrap() {
            let (header, value) = bearer(token.as_str().unwrap());
            let refused = refused(&world, handshake(&world, PATH, &[(header, &value)])).await;
            assert_eq!(message(&refused), "the token is of another type (typ)", "{name}");
        }
        world.finish().await;
    }
    let world = World::with(&api(&pem(&tokens, "rsa")), "").await;
    for token in tokens["otherwise typed"].as_object().unwrap().values() {
        assert_eq!(identity_of(&world, token.as_str().unwrap()).await["claims"]["sub"], "anna");
    }
    world.finish().await;
}

/// The places for a token: the path of the request, and its headers.
fn places(token: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let encoded = URL_SAFE_NO_PAD.encode(token);
    let protocol = "sec-websocket-protocol";
    vec![
        (PATH.to_owned(), vec![("authorization", format!("bearer {token}"))]),
        (format!("{PATH}?a=1&access_token={token}&b=2"), vec![]),
        (PATH.to_owned(), vec![("cookie", format!("a=1; session={token}; b=2"))]),
        (PATH.to_owned(), vec![(protocol, format!("bearer.{token}, chat"))]),
        (
            PATH.to_owned(),
            vec![(protocol, "chat".to_owned()), (protocol, format!("bearer.{encoded}"))],
        ),
    ]
}

fn at(
    world: &World,
    place: &(String, Vec<(&'static str, String)>),
    more: &[(&str, &str)],
) -> Request<()> {
    let headers: Vec<_> = place.1.iter().map(|(name, value)| (*name, value.as_str())).collect();
    handshake(world, &place.0, &[&headers, more].concat())
}

#[tokio::test]
async fn a_token_may_be_in_several_places_and_reaches_no_function() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let token = text(&tokens["unnamed"], "RS256");
    let lines = format!("{}query = \"access_token\"\ncookie = \"session\"\n", pem(&tokens, "rsa"));
    let world = World::with(&api(&lines), "").await;
    let chat = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": "chat" } });
    world.backend.always("register", Reply::json(&chat));
    for place in places(token) {
        let client = Client::connect_with(at(&world, &place, &[])).await;
        let client = client.unwrap_or_else(|refused| panic!("{place:?}: {refused:?}"));
        let event = world.backend.next("register").await.event;
        assert_eq!(event["requestContext"]["identity"]["claims"]["sub"], "anna");
        assert!(!event.to_string().contains(&token[..20]), "{event}");
        assert!(!event.to_string().contains("ZXlK"), "{event}");
        if place.0 != PATH {
            assert_eq!(event["queryString"], json!({ "a": "1", "b": "2" }));
        }
        match place.1.first() {
            Some(("cookie", _)) => assert_eq!(event["headers"]["cookie"], "a=1; b=2"),
            Some(("sec-websocket-protocol", _)) => {
                assert_eq!(event["websocket"]["secWebSocketProtocol"], "chat");
                assert_eq!(client.response.headers()["sec-websocket-protocol"], "chat");
            }
            _ => {}
        }
    }
    world.finish().await;
    // Where the settings say so, functions get it, but not as a subprotocol.
    let world = World::with(&api(&format!("{lines}pass_token = true")), "").await;
    world.backend.always("register", Reply::json(&chat));
    for (number, place) in places(token).iter().enumerate() {
        let _client =
            Client::connect_with(at(&world, place, &[])).await.unwrap_or_else(|_| panic!());
        let event = world.backend.next("register").await.event.to_string();
        assert_eq!(event.contains(token), number < 3, "{event}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_client_without_a_token_or_with_two_is_told_so() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let token = text(&tokens["unnamed"], "RS256");
    let lines = format!("{}query = \"access_token\"\ncookie = \"session\"\n", pem(&tokens, "rsa"));
    let world = World::with(&api(&lines), "").await;
    let none = refused(&world, handshake(&world, PATH, &[])).await;
    assert_eq!(
        (none.status(), challenge(&none)),
        (StatusCode::UNAUTHORIZED, "Bearer realm=\"api-test\"")
    );
    let places = places(token);
    for (first, second) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        let mut place = places[second].clone();
        if places[first].0 != PATH {
            place.0.clone_from(&places[first].0);
        }
        place.1.extend(places[first].1.clone());
        let two = refused(&world, at(&world, &place, &[])).await;
        assert_eq!(two.status(), 400, "{place:?}");
        assert!(challenge(&two).contains("error=\"invalid_request\""), "{}", challenge(&two));
    }
    let twice = places[0].1[0].1.as_str();
    let two = refused(&world, at(&world, &places[0], &[("authorization", twice)])).await;
    assert_eq!(two.status(), 400);
    // A browser sends a cookie along with every page that asks.
    let cookie = &places[2];
    let host = world.listeners.public.to_string();
    for (origin, lets_in) in [
        (format!("http://{host}"), true),
        ("https://evil.example".to_owned(), false),
        ("null".to_owned(), false),
        (format!("http://{host}.evil.example"), false),
    ] {
        let request = at(&world, cookie, &[("origin", &origin)]);
        if lets_in {
            let _client =
                Client::connect_with(request).await.unwrap_or_else(|_| panic!("{origin}"));
            world.backend.next("register").await;
        } else {
            assert_eq!(refused(&world, request).await.status(), 403, "{origin}");
        }
    }
    world.finish().await;
}

#[tokio::test]
async fn a_key_that_changes_in_its_file_is_used() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| {
        fs::write(folder.path().join("new"), text(&tokens["pems"], name)).unwrap();
        fs::rename(folder.path().join("new"), folder.path().join("key.pem")).unwrap();
    };
    put("p256");
    let settings = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n[[api]]\nid = \"a\"\n\
         path = \"{PATH}\"\ntransmit = \"x\"\n{}",
        api("key_file = \"key.pem\"")
    );
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let is_let_in = |algorithm: &str| {
        let mut request = client::request(gateway.address("public"), PATH);
        let (name, value) = bearer(text(&tokens["unnamed"], algorithm));
        request.headers_mut().insert(name, value.parse().unwrap());
        let connecting = Client::connect_with(request);
        async move { connecting.await.is_ok() }
    };
    assert_eq!([is_let_in("ES256").await, is_let_in("EdDSA").await], [true, false]);
    put("ed");
    gateway.logged("settings reloaded").await;
    assert_eq!([is_let_in("ES256").await, is_let_in("EdDSA").await], [false, true]);
}

#[tokio::test]
async fn a_token_for_one_api_does_not_open_another() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let key = pem(&tokens, "rsa");
    let tables = format!(
        "[[api]]\nid = \"api-mail\"\npath = \"/mail\"\ntransmit = \"BACKEND/transmit\"\nauth = \"jwt\"\n\
         [api.jwt]\naudience = [\"mail\"]\n{key}"
    );
    let text_of = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n[[api]]\n\
         id = \"api-test\"\npath = \"{PATH}\"\nregister = \"BACKEND/register\"\n\
         transmit = \"BACKEND/transmit\"\ncleanup = \"BACKEND/cleanup\"\n{}\n{tables}",
        api(&key)
    );
    let world = World::launch(Backend::start().await, &text_of).await;
    let chat = bearer(text(&tokens["unnamed"], "RS256"));
    let mail = bearer(text(&tokens["wrong"], "other audience"));
    for (path, token, lets_in) in
        [(PATH, &chat, true), ("/mail", &mail, true), (PATH, &mail, false), ("/mail", &chat, false)]
    {
        let request = handshake(&world, path, &[(token.0, &token.1)]);
        assert_eq!(Client::connect_with(request).await.is_ok(), lets_in, "{path} {}", token.1);
    }
    world.backend.next("register").await;
    world.finish().await;
}

#[tokio::test]
async fn a_connection_is_closed_when_its_token_expires_and_cleanup_learns_why() {
    let Some(tokens) = tokens("http://127.0.0.1:9/").await else { return };
    let lines = format!("{}leeway = \"0s\"\nclose_on_expiry = true", pem(&tokens, "rsa"));
    let world = World::with(&api(&lines), "").await;
    let mut opened = None;
    // The first one that is still good: how long it took to make them is not known.
    for token in tokens["short"].as_array().unwrap() {
        let (name, value) = bearer(token.as_str().unwrap());
        opened = Client::connect_with(handshake(&world, PATH, &[(name, &value)])).await.ok();
        if opened.is_some() {
            break;
        }
    }
    let mut client = opened.unwrap();
    assert_eq!(client.closed().await, 1008);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "expired");
    assert_eq!(cleanup.websocket("closeCode"), "1008");
    world.finish().await;
}
