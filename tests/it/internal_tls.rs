//! TLS on the internal listeners, and TLS of what the services call.

mod calls;
mod processes;
mod pushes;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use reqwest::{Client, Identity};

use crate::support::{soon, tls::Authority, world::World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const REFUSED: &str = "need a client certificate that an authority of this listener has signed";

/// A client that trusts `authority`, and shows the certificate `shown`.
fn client(authority: &Authority, shown: Option<(&Authority, &str)>) -> Client {
    let builder = Client::builder().no_proxy().tls_certs_only([authority.root()]);
    let builder = match shown {
        Some((own, file)) => {
            let pem = [own.read(&format!("{file}.pem")), own.read(&format!("{file}.key"))].concat();
            builder.identity(Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

/// `[internal_tls]` with a certificate of `authority`, for clients of the authority in `client_ca`.
fn table(authority: &Authority, client_ca: &str) -> String {
    let table = authority.table(&["a"]).replace("[tls]", "[internal_tls]");
    format!("{table}client_ca = {:?}\n", authority.path(client_ca))
}

/// The status and the text of what the listener answers. None if there is no connection.
async fn get(client: &Client, world: &World, path: &str) -> Option<(StatusCode, String)> {
    let url = format!("https://{}{path}", world.listeners.internal);
    let answer = soon("an answer", client.get(url).send()).await.ok()?;
    Some((answer.status(), answer.text().await.unwrap()))
}

async fn is_let_in(client: &Client, world: &World) -> bool {
    let answer = get(client, world, "/cleanups").await;
    answer.is_some_and(|(status, text)| status != StatusCode::FORBIDDEN && !text.contains(REFUSED))
}

/// An authority with a certificate of the listener (`a`), and the authority itself (`ca.pem`).
fn authority() -> Authority {
    let authority = Authority::new();
    authority.issue("a", &["localhost", "127.0.0.1"]);
    authority.write("ca.pem", &authority.pem());
    authority
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_authority_are_served() {
    let (authority, other) = (authority(), authority());
    let world = World::with("", &table(&authority, "ca.pem")).await;
    let now = SystemTime::now();
    authority.issue("client", &["client"]);
    authority.issue_for("expired", &["client"], now - 2 * DAY, now - DAY);
    authority.issue_for("early", &["client"], now + DAY, now + 2 * DAY);
    other.issue("client", &["client"]);

    assert!(is_let_in(&client(&authority, Some((&authority, "client"))), &world).await);
    for shown in [(&authority, "expired"), (&authority, "early"), (&other, "client")] {
        let answer = get(&client(&authority, Some(shown)), &world, "/readyz").await;
        assert_eq!(answer, None, "{}", shown.1);
    }
    // Probes of health show none.
    let without = client(&authority, None);
    for path in ["/readyz", "/healthz"] {
        assert_eq!(get(&without, &world, path).await.unwrap().0, StatusCode::OK);
    }
    for path in ["/cleanups", "/api-test", "/", "/~/x", "/~/readyz/x"] {
        let (status, text) = get(&without, &world, path).await.unwrap();
        assert_eq!(
            (status, text.contains(REFUSED)),
            (StatusCode::FORBIDDEN, true),
            "{path}: {text}"
        );
    }
    // Nobody speaks to it without TLS.
    let url = format!("http://{}/readyz", world.listeners.internal);
    let answer = soon("an answer", without.get(url).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    world.finish().await;
}

/// Who was let in goes on with its connection, and not with another one: sessions are not resumed.
#[tokio::test]
async fn the_authority_of_clients_is_exchanged() {
    let (authority, new) = (authority(), authority());
    authority.issue("client", &["client"]);
    new.issue("client", &["client"]);
    authority.link("clients.pem", "ca.pem");
    let world = World::with("", &table(&authority, "clients.pem")).await;
    let old_client = client(&authority, Some((&authority, "client")));
    let new_client = client(&authority, Some((&new, "client")));
    assert!(is_let_in(&old_client, &world).await);
    assert!(!is_let_in(&new_client, &world).await);
    authority.write("new.pem", &new.pem());
    authority.link("clients.pem", "new.pem");
    soon("the new authority", async { while !is_let_in(&new_client, &world).await {} }).await;
    assert!(is_let_in(&old_client, &world).await, "its connection is kept");
    let again = client(&authority, Some((&authority, "client")));
    assert!(!is_let_in(&again, &world).await);
    world.finish().await;
}

#[tokio::test]
async fn without_client_ca_the_listener_speaks_tls_with_everybody() {
    let authority = authority();
    let table = authority.table(&["a"]).replace("[tls]", "[internal_tls]");
    let world = World::with("", &table).await;
    assert!(is_let_in(&client(&authority, None), &world).await);
    world.finish().await;
}
