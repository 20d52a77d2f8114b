//! Functions at `https` URLs: whose certificates are taken, and which one the gateway shows.

use daemon::tls::Tls;

use super::authority;
use crate::support::{
    backend::Backend,
    client::Client,
    soon,
    tls::Authority,
    world::{PATH, World},
};

/// The TLS of functions with a certificate of `authority`, for callers whose certificate it has
/// signed too.
fn functions_tls(authority: &Authority) -> Tls {
    authority.open("cert = \"a.pem\"\nkey = \"a.key\"\nclient_ca = \"ca.pem\"")
}

/// `[outbound_tls]` with these files of `authority`.
fn outbound(authority: &Authority, ca: Option<&str>, own: Option<&str>) -> String {
    let line = |key: &str, file: String| format!("{key} = {:?}\n", authority.path(&file));
    let ca = ca.map(|ca| line("ca", ca.to_owned())).unwrap_or_default();
    let own =
        own.map(|own| line("cert", format!("{own}.pem")) + &line("key", format!("{own}.key")));
    format!("[outbound_tls]\n{ca}{}", own.unwrap_or_default())
}

#[tokio::test]
async fn functions_are_called_over_tls_with_a_certificate_of_the_gateway() {
    let authority = authority();
    authority.issue("gateway", &["gateway"]);
    for (ca, own, is_right) in [
        (Some("ca.pem"), Some("gateway"), true),
        (Some("ca.pem"), None, false),
        (None, Some("gateway"), false),
        (None, None, false),
    ] {
        let backend = Backend::start_with_tls(functions_tls(&authority)).await;
        let text = outbound(&authority, ca, own);
        let world = World::with_backend(backend, "timeout = \"2s\"", &text).await;
        match Client::connect(world.listeners.public, PATH).await {
            Ok(mut client) if is_right => {
                client.send("hello").await;
                assert_eq!(world.backend.next("transmit").await.data(), "hello");
            }
            Err(refused) if !is_right => assert_ne!(refused.status(), 101),
            Ok(_) => panic!("{ca:?} {own:?} should be refused"),
            Err(refused) => panic!("{ca:?} {own:?}: {refused:?}"),
        }
        world.finish().await;
    }
}

/// Both files change while messages are forwarded on open connections to functions.
#[tokio::test]
async fn what_the_gateway_trusts_and_shows_is_exchanged_under_load() {
    let (old, new) = (authority(), authority());
    for authority in [&old, &new] {
        authority.issue("gateway", &["gateway"]);
    }
    for (link, target) in
        [("live-ca", "ca.pem"), ("live.pem", "gateway.pem"), ("live.key", "gateway.key")]
    {
        old.link(link, target);
    }
    let other = Backend::start_with_tls(functions_tls(&new)).await;
    let backend = Backend::start_with_tls(functions_tls(&old)).await;
    let (ca, files) = (old.path("live-ca"), ["live.pem", "live.key"].map(|name| old.path(name)));
    let tables = format!(
        "[outbound_tls]\nca = {ca:?}\ncert = {:?}\nkey = {:?}\n\
         [[api]]\nid = \"other\"\npath = \"/other\"\ntimeout = \"2s\"\nregister = \"{url}/register\"\n\
         transmit = \"{url}/transmit\"\n",
        files[0],
        files[1],
        url = other.url,
    );
    let world = World::with_backend(backend, "", &tables).await;
    let mut client = world.connect().await;
    assert!(Client::connect(world.listeners.public, "/other").await.is_err());

    // The functions of the other API are of the other authority, and so must be the certificate.
    old.write("both.pem", &(old.pem() + &new.pem()));
    old.write("new.pem", &new.read("gateway.pem"));
    old.write("new.key", &new.read("gateway.key"));
    for (link, target) in
        [("live-ca", "both.pem"), ("live.key", "new.key"), ("live.pem", "new.pem")]
    {
        old.link(link, target);
    }
    let exchanged = async {
        loop {
            client.send("still").await;
            assert_eq!(world.backend.next("transmit").await.data(), "still");
            if let Ok(client) = Client::connect(world.listeners.public, "/other").await {
                return client;
            }
        }
    };
    let mut other_client = soon("the exchange", exchanged).await;
    other_client.send("hello").await;
    assert_eq!(other.next("transmit").await.data(), "hello");
    world.finish().await;
    other.stop();
}
