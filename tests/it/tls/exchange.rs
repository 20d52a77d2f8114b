//! Certificates that are exchanged while the gateway runs.

use futures_util::{SinkExt, StreamExt, stream};
use tokio_rustls::rustls::{HandshakeKind, pki_types::CertificateDer};
use tokio_tungstenite::tungstenite::Message;

use super::{BOTH, ask};
use crate::support::{
    process::Process,
    soon,
    tls::{Authority, connect, shown, websocket},
    world::{PATH, World},
};

const SOCKETS: usize = 1000;
/// How many handshakes run at once.
const AT_ONCE: usize = 50;

/// Waits until a new handshake shows `certificate`.
async fn until_shown(
    authority: &Authority,
    address: std::net::SocketAddr,
    certificate: &CertificateDer<'static>,
) {
    soon("the new certificate", async {
        // A connector that has no session to resume: such a handshake shows no certificate.
        while shown(&connect(&authority.connector(&BOTH), address, "localhost").await)
            != *certificate
        {}
    })
    .await;
}

/// As `certbot` does: two links are replaced, which are named in the settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_exchanged_under_open_sockets_and_none_drops() {
    daemon::files::raise_limit(3 * SOCKETS);
    let authority = Authority::new();
    let old = authority.issue("1", &["localhost"]);
    let new = authority.issue("2", &["localhost"]);
    authority.link("live.pem", "1.pem");
    authority.link("live.key", "1.key");
    // No ping of the gateway comes before the answer to a ping of the test.
    let quiet = "[connection]\nping_interval = \"1h\"\n";
    let world = World::with("", &format!("{quiet}{}", authority.table(&["live"]))).await;
    let address = world.listeners.public;
    until_shown(&authority, address, &old).await;

    let connector = authority.connector(&BOTH);
    let connecting = stream::iter(0..SOCKETS).map(|_| websocket(&connector, address, PATH));
    let sockets: Vec<_> = connecting.buffer_unordered(AT_ONCE).collect().await;
    authority.link("live.key", "2.key");
    authority.link("live.pem", "2.pem");
    until_shown(&authority, address, &new).await;

    let answered = stream::iter(sockets).map(|mut socket| async move {
        socket.send(Message::Ping("still".into())).await.unwrap();
        let answer = soon("a pong", socket.next()).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong("still".into()));
        socket
    });
    let sockets: Vec<_> = answered.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(sockets.len(), SOCKETS);
    drop(sockets);
    world.finish().await;
}

/// A client that resumes a session sees no certificate: it would go on with the old one.
#[tokio::test]
async fn sessions_of_before_an_exchange_are_not_resumed() {
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let world = World::with("", &authority.table(&["a"])).await;
    let address = world.listeners.public;
    let connectors = BOTH.map(|version| authority.connector(&[version]));
    for connector in &connectors {
        let kinds = [ask(connector, address).await.1, ask(connector, address).await.1];
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
    }
    let new = authority.issue("a", &["localhost"]);
    until_shown(&authority, address, &new).await;
    for connector in &connectors {
        let (stream, kind) = ask(connector, address).await;
        assert_eq!((shown(&stream), kind), (new.clone(), HandshakeKind::Full));
        assert_eq!(ask(connector, address).await.1, HandshakeKind::Resumed);
    }
    world.finish().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_leave_the_certificate_and_are_logged() {
    let authority = Authority::new();
    let old = authority.issue("a", &["localhost"]);
    let settings = "[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:0\"\n\
                    [[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
    authority.write("gateway.toml", &format!("{settings}{}", authority.table(&["a"])));
    let process = Process::start("gateway", &[], &authority.path(""), &[]).await;
    let address = process.address("public");
    // The certificates of these tests are valid for 9 days.
    process.logged("renew it").await;
    authority.write("a.pem", "hello");
    process.logged("a certificate stays as it is after a change of files").await;
    process.logged("a.pem has no certificate").await;
    let stream = connect(&authority.connector(&BOTH), address, "localhost").await;
    assert_eq!(shown(&stream), old);
    let new = authority.issue("a", &["localhost"]);
    until_shown(&authority, address, &new).await;
    process.logged("new handshakes use the certificate in").await;
}
