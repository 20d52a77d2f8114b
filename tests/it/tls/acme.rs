//! `tls.acme`: the certificate of the public listener is ordered from a real ACME server.

mod pebble;

use std::{
    fs::{self, DirBuilder, Permissions},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;
use nix::sys::signal::Signal;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, ClientConfig, Error, RootCertStore,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, ServerName},
    },
};
use tokio_tungstenite::client_async;

use self::pebble::{NAME, Pebble};
use super::talk;
use crate::support::{
    backend::Backend,
    client::request,
    process::{Process, run},
    soon,
    tls::{Authority, TlsClient, shown},
    world::{PATH, World},
};

const DAY: Duration = Duration::from_hours(24);

/// A gateway in this process.
async fn launch(pebble: &Pebble) -> World {
    let api = format!(
        "[[api]]\nid = \"api-test\"\npath = \"{PATH}\"\nregister = \"BACKEND/register\"\n\
         transmit = \"BACKEND/transmit\"\ncleanup = \"BACKEND/cleanup\"\n"
    );
    World::launch(Backend::start().await, &format!("{}{api}", pebble.settings())).await
}

/// A client that trusts `authority` and offers this protocol.
fn connector(authority: &CertificateDer<'static>, protocol: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(client))
}

/// A handshake with the gateway by its name. The error is that of TLS.
async fn connect(
    address: SocketAddr,
    authority: &CertificateDer<'static>,
    protocol: &[u8],
) -> Result<TlsStream<TcpStream>, Error> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let handshake = connector(authority, protocol).connect(name, tcp);
    soon("the end of a handshake", handshake).await.map_err(|error| {
        let error = error.into_inner().expect("an error of TLS");
        *error.downcast::<Error>().expect("an error of TLS")
    })
}

/// A WebSocket, as soon as the gateway has a certificate of `authority`.
async fn websocket(address: SocketAddr, authority: &CertificateDer<'static>) -> TlsClient {
    let stream = soon("a certificate", async {
        loop {
            if let Ok(stream) = connect(address, authority, b"http/1.1").await {
                break stream;
            }
        }
    });
    let stream = stream.await;
    let handshake = Box::pin(client_async(request(address, PATH), stream));
    soon("a handshake", handshake).await.unwrap().0
}

/// Closes in order.
async fn close(mut client: TlsClient) {
    client.close(None).await.unwrap();
    while let Some(message) = soon("the end", client.next()).await {
        message.unwrap();
    }
}

#[tokio::test]
async fn the_first_certificate_is_ordered_and_a_restart_uses_it_without_the_authority() {
    let Some(mut pebble) = Pebble::new() else { return };
    pebble.start().await;
    let root = pebble.root().await;
    let world = launch(&pebble).await;
    let mut client = websocket(world.listeners.public, &root).await;
    let first = shown(client.get_ref());
    talk(&world, &mut client).await;
    close(client).await;
    world.finish().await;
    for (file, expected) in [("account.key", 0o600), ("certificate.pem", 0o600), (".", 0o700)] {
        let mode = fs::metadata(pebble.kept().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, expected, "{file}");
    }

    pebble.stop().await;
    let world = launch(&pebble).await;
    let stream = connect(world.listeners.public, &root, b"http/1.1").await.unwrap();
    assert_eq!(shown(&stream), first, "at once");
    world.finish().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_under_an_open_connection() {
    let Some(mut pebble) = Pebble::new() else { return };
    // One that is valid, with less than a third of its time left. The authority is down.
    let old = Authority::new();
    let now = SystemTime::now();
    let certificate = old.issue_for("a", &[NAME], now - 80 * DAY, now + 10 * DAY);
    DirBuilder::new().recursive(true).mode(0o700).create(pebble.kept()).unwrap();
    let file = pebble.kept().join("certificate.pem");
    fs::write(&file, old.read("a.key") + &old.read("a.pem")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let world = launch(&pebble).await;
    let address = world.listeners.public;
    let mut before = websocket(address, &old.certificate()).await;
    assert_eq!(shown(before.get_ref()), certificate);

    pebble.start().await;
    let root = pebble.root().await;
    let mut after = websocket(address, &root).await;
    assert_ne!(shown(after.get_ref()), certificate);
    talk(&world, &mut before).await;
    talk(&world, &mut after).await;
    close(before).await;
    close(after).await;
    world.finish().await;
}

/// Writes the settings of a gateway, and starts its binary.
async fn start(pebble: &Pebble) -> (tempfile::TempDir, Process) {
    let folder = tempfile::tempdir().unwrap();
    let api = "[[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
    fs::write(folder.path().join("gateway.toml"), pebble.settings() + api).unwrap();
    let process = Process::start("gateway", &[], folder.path(), &[]).await;
    (folder, process)
}

#[tokio::test]
async fn an_authority_that_is_down_is_asked_again_and_until_then_handshakes_are_refused() {
    let Some(mut pebble) = Pebble::new() else { return };
    let (folder, process) = start(&pebble).await;
    process.logged("tls.acme: handshakes fail until the first certificate is issued").await;
    process.logged("no certificate for chat.example.com was issued by https://127.").await;
    process.logged("Connection refused").await;
    let nobody = Authority::new().certificate();
    for protocol in [&b"http/1.1"[..], b"acme-tls/1"] {
        let refused = connect(pebble.public(), &nobody, protocol).await.unwrap_err();
        assert_eq!(refused, Error::AlertReceived(AlertDescription::AccessDenied));
    }
    let check = run("gateway", &["check"], folder.path(), &[]).await;
    assert!(check.status.success(), "{}", check.stderr);

    pebble.start().await;
    process.logged("new handshakes use the certificate in").await;
    let root = pebble.root().await;
    connect(pebble.public(), &root, b"http/1.1").await.unwrap();
    process.signal(Signal::SIGTERM);
    let log = process.ended_with_log().await;
    assert!(log.contains("gateway stopped") && !log.contains("PRIVATE KEY"), "{log}");
}

#[tokio::test]
async fn an_authority_that_does_not_find_the_gateway_says_why_and_is_not_asked_again_soon() {
    let Some(mut pebble) = Pebble::new() else { return };
    // Nothing listens there.
    pebble.start_with_dns([127, 0, 0, 2].into()).await;
    let (_folder, process) = start(&pebble).await;
    process.logged("chat.example.com: API error: ").await;
    process.logged("and the next order is in 5m").await;
    // A drain does not wait for the next order.
    process.signal(Signal::SIGTERM);
    assert!(process.ended().await.success());
}
