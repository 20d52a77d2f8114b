//! Which handshakes show certificates, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{HandshakeKind, pki_types::ServerName},
};

use super::super::testing::{DAY, TestAuthority};
use crate::{
    http::message,
    testing::{DEADLINE, TestServer},
};

/// A handshake, and a request whose answer is read to the end: until then tickets have come.
async fn ask(connector: &TlsConnector, server: &TestServer) -> Option<HandshakeKind> {
    let tcp = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connected = timeout(DEADLINE, connector.connect(name, tcp)).await.unwrap();
    let mut stream = connected.ok()?;
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    timeout(DEADLINE, stream.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    stream.get_ref().1.handshake_kind()
}

/// A resumed session would keep what was exchanged in use.
#[tokio::test]
async fn no_session_outlives_the_authorities_and_the_certificate_it_began_with() {
    let now = SystemTime::now();
    for exchanged in ["ca.pem", "own.pem"] {
        let authority = TestAuthority::new();
        for file in ["a", "own"] {
            authority.issue(file, &["localhost"]);
        }
        authority.write("ca.pem", &authority.pem());
        let tls = authority.open("cert = \"a.pem\"\nkey = \"a.key\"").unwrap();
        let server = TestServer::with_tls(tls, Duration::from_secs(60), async |_| {
            message(StatusCode::OK, "hello")
        });
        let server = server.await;
        let table = "ca = \"ca.pem\"\ncert = \"own.pem\"\nkey = \"own.key\"";
        let outbound = authority.open_outbound(table).unwrap().unwrap();
        let connector = TlsConnector::from(Arc::new(outbound.configuration()));
        assert_eq!(ask(&connector, &server).await, Some(HandshakeKind::Full));
        assert_eq!(ask(&connector, &server).await, Some(HandshakeKind::Resumed));
        // Nothing has changed.
        outbound.exchange().await.unwrap();
        assert_eq!(ask(&connector, &server).await, Some(HandshakeKind::Resumed));
        let expected = match exchanged {
            "ca.pem" => {
                authority.issue_authority("ca", now - DAY, now + DAY);
                None
            }
            _ => {
                authority.issue("own", &["localhost"]);
                Some(HandshakeKind::Full)
            }
        };
        outbound.exchange().await.unwrap();
        for _ in 0..2 {
            assert_eq!(ask(&connector, &server).await, expected, "{exchanged}");
        }
        server.end().await;
    }
}
