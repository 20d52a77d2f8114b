//! Pages in browsers: which origins an API lets in.

use std::fs;

use http::{HeaderValue, Request, StatusCode};
use tokio_tungstenite::client_async;

use super::{handshake, identity, message, refused};
use crate::{
    support::{
        client::{Client, exchange, request},
        process::Process,
        soon,
        tls::{Authority, connect},
        world::{PATH, World},
    },
    tls::BOTH,
};

/// The status for a client with these headers: 101 if it is let in, and then register is called.
async fn check(world: &World, headers: &[(&str, &str)], expected: u16) {
    if expected == 101 {
        identity(world, headers).await;
        return;
    }
    let refused = refused(world, handshake(world, PATH, headers)).await;
    assert_eq!(refused.status(), StatusCode::from_u16(expected).unwrap(), "{headers:?}");
    assert!(message(&refused).contains("may not connect to this api"), "{headers:?}");
}

#[tokio::test]
async fn an_api_without_authentication_takes_pages_of_its_own_site() {
    let world = World::start().await;
    check(&world, &[], 101).await;
    let port = world.listeners.public.port();
    for own in [format!("http://127.0.0.1:{port}"), "http://localhost:3000".to_owned()] {
        check(&world, &[("origin", &own)], 101).await;
    }
    for strange in ["https://evil.example", "http://127.0.0.1.evil.example", "null", "file://", ""]
    {
        check(&world, &[("origin", strange)], 403).await;
    }
    check(&world, &[("origin", "http://127.0.0.1"), ("origin", "https://evil.example")], 403).await;
    world.finish().await;
}

#[tokio::test]
async fn origins_of_the_settings_are_let_in_and_no_others() {
    let world = World::with(
        r#"origins = ["https://chat.example.com", "https://*.example.org", "null"]"#,
        "",
    )
    .await;
    for (origin, expected) in [
        ("https://chat.example.com", 101),
        ("https://CHAT.example.com:443", 101),
        ("https://a.b.example.org", 101),
        ("null", 101),
        ("http://chat.example.com", 403),
        ("https://chat.example.com:8443", 403),
        ("https://example.org", 403),
        ("https://chat.example.com.evil.example", 403),
        // The setting says all.
        ("http://127.0.0.1", 403),
    ] {
        check(&world, &[("origin", origin)], expected).await;
    }
    check(&world, &[], 101).await;
    world.finish().await;
}

#[tokio::test]
async fn all_pages_are_let_in_if_the_settings_say_so() {
    let world = World::with("origins = [\"*\"]", "").await;
    for origin in ["https://evil.example", "null"] {
        check(&world, &[("origin", origin)], 101).await;
    }
    world.finish().await;
}

/// A page cannot make the proof, unless somebody has given it the secret.
#[tokio::test]
async fn a_proof_lets_in_pages_of_all_sites() {
    let world = World::with(
        "auth = \"hmac\"\nkey_pairs = [{ id = \"a\", secret = \"a-secret-of-16-bytes\" }]",
        "",
    )
    .await;
    let request = handshake(&world, PATH, &[("origin", "https://evil.example")]);
    let refused = refused(&world, request).await;
    // It is asked for a proof, so its origin was no obstacle.
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    world.finish().await;
}

/// A handshake for a page of `origin` that asks the gateway by the name `host`.
fn asked_by_name(address: std::net::SocketAddr, host: &str, origin: &str) -> Request<()> {
    let mut request = request(address, PATH);
    let host = format!("{host}:{}", address.port());
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::try_from(host).unwrap());
    headers.insert("origin", HeaderValue::try_from(origin).unwrap());
    request
}

/// The page was loaded from a server of its own. By now its name leads to this machine.
#[tokio::test]
async fn a_page_of_a_name_that_was_pointed_at_the_gateway_is_refused() {
    let text = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\", public_hosts = [\"chat.lan\"] }}\n\
         [[api]]\nid = \"api-test\"\npath = \"{PATH}\"\nregister = \"BACKEND/register\"\n\
         transmit = \"BACKEND/transmit\"\ncleanup = \"BACKEND/cleanup\"\n"
    );
    let world = World::launch(crate::support::backend::Backend::start().await, &text).await;
    let address = world.listeners.public;
    let port = address.port();
    let own = format!("http://evil.example:{port}");
    let answer = refused(&world, asked_by_name(address, "evil.example", &own)).await;
    assert_eq!(answer.status(), 403);
    let expected = format!("pages of \"{own}\" may not connect to this api");
    assert_eq!(message(&answer), expected);
    for (host, origin) in [
        ("chat.lan", format!("http://chat.lan:{port}")),
        // From behind a proxy that has shown a certificate of this name.
        ("chat.example.com", "https://www.example.com".to_owned()),
    ] {
        let client = Client::connect_with(asked_by_name(address, host, &origin)).await;
        let _client = client.unwrap_or_else(|refused| panic!("{origin}: {refused:?}"));
        world.backend.next("register").await;
    }
    world.finish().await;
}

/// Somebody on the way may have changed such a page.
#[tokio::test]
async fn a_page_without_tls_may_not_use_a_listener_with_tls() {
    let authority = Authority::new();
    authority.issue("a", &["ws.example.com"]);
    let world = World::with("", &authority.table(&["a"])).await;
    let address = world.listeners.public;
    for (origin, expected) in [
        ("http://www.example.com", 403),
        ("http://ws.example.com", 403),
        ("https://www.example.com", 101),
    ] {
        let stream = connect(&authority.connector(&BOTH), address, "ws.example.com").await;
        let handshake = client_async(asked_by_name(address, "ws.example.com", origin), stream);
        match soon("an answer", Box::pin(handshake)).await {
            Ok((_, response)) => assert_eq!(response.status(), expected, "{origin}"),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                assert_eq!(response.status(), expected, "{origin}");
            }
            Err(error) => panic!("{origin}: {error}"),
        }
    }
    world.backend.next("register").await;
    world.finish().await;
}

#[tokio::test]
async fn the_log_says_which_setting_lets_a_page_in() {
    let folder = tempfile::tempdir().unwrap();
    let apis: String = ["one", "two"]
        .map(|id| format!("[[api]]\nid = \"{id}\"\npath = \"/{id}\"\ntransmit = \"x\"\n"))
        .concat();
    let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
    fs::write(folder.path().join("gateway.toml"), format!("{listen}{apis}")).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let address = gateway.address("public");
    for (path, origin, words) in [
        (
            "/one",
            "https://evil.example",
            "pages of \"https://evil.example\" may not connect to one; if they may, add the origin to \
             origins of the api",
        ),
        ("/two", "http://page.example", "or add it to listen.public_hosts, or add the origin to"),
    ] {
        let mut request = asked_by_name(address, "page.example", origin);
        *request.uri_mut() = format!("ws://{address}{path}").parse().unwrap();
        let answer = Client::connect_with(request).await.err().unwrap();
        assert_eq!(answer.status(), 403);
        gateway.logged(words).await;
    }
    assert_eq!(gateway.log().matches("client.address=127.0.0.1 ").count(), 2);
}

/// The status and the body of the answer to a request that a browser could send.
async fn asked(address: std::net::SocketAddr, headers: &str) -> (u16, String) {
    let request = format!("POST /nobody HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    let answer = exchange(address, request.as_bytes()).await;
    (answer["HTTP/1.1 ".len()..][..3].parse().unwrap(), answer)
}

/// Over real sockets, with settings from a file.
#[tokio::test]
async fn internal_listeners_refuse_pages_and_the_log_says_which_setting_lets_them_in() {
    let folder = tempfile::tempdir().unwrap();
    let known =
        "internal_hosts = [\"gateway.lan\"]\ninternal_origins = [\"https://ops.example\"]\n";
    let listen = format!("[listen]\ninternal = \"127.0.0.1:0\"\n{known}");
    let api = "[[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
    let gateway = format!("{listen}public = \"127.0.0.1:0\"\n{api}");
    fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
    let function = "[functions.x]\nruntime = \"rust\"\nhandler = \"echo\"\n\
                    environment = { url = \"http://127.0.0.1:9/x\" }\n";
    fs::write(folder.path().join("functions.toml"), format!("{listen}{function}")).unwrap();
    for program in ["gateway", "function-runner"] {
        let process = Process::start(program, &[], folder.path(), &[]).await;
        let address = process.address("internal");
        let by_ip = format!("Host: {address}\r\n");
        for (headers, words) in [
            ("Host: evil.example:9001\r\n".to_owned(), "add it to listen.internal_hosts"),
            (
                format!("{by_ip}Origin: https://evil.example\r\n"),
                "add the origin to listen.internal_origins",
            ),
            (
                format!("{by_ip}Sec-Fetch-Site: cross-site\r\n"),
                "pages of other sites may not use this listener",
            ),
        ] {
            for _ in 0..3 {
                let (status, answer) = asked(address, &headers).await;
                assert_eq!(status, 403, "{program} {headers}: {answer}");
                assert!(answer.contains(words), "{answer}");
            }
            process.logged(words).await;
            assert_eq!(process.log().matches(words).count(), 1, "{}", process.log());
        }
        for headers in [
            by_ip.clone(),
            "Host: gateway.lan\r\n".to_owned(),
            format!("{by_ip}Origin: https://ops.example\r\nSec-Fetch-Site: cross-site\r\n"),
        ] {
            let (status, answer) = asked(address, &headers).await;
            // Whatever else it lacks, it is no request of a page.
            assert!([401, 404].contains(&status), "{program} {headers}: {answer}");
        }
    }
}
