//! Pages in browsers: which origins an API lets in.

use http::StatusCode;

use super::{handshake, identity, message, refused};
use crate::support::world::{PATH, World};

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
