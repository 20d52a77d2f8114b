//! The health check: asks a running process of ours whether it is ready.
//!
//! Container images have no curl, and run the subcommand `check` of the binary instead.

mod any_certificate;
mod listener;

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use self::any_certificate::connect;
pub use self::listener::internal_listener;
use crate::tls::TlsSettings;

/// A process that does not answer within this time is not ready.
const DEADLINE: Duration = Duration::from_secs(3);

/// The process is not ready.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nothing listens at the address.
    #[error("could not connect to {0}")]
    Connect(SocketAddr, #[source] io::Error),
    /// The handshake of TLS has failed.
    #[error("{0} did not speak TLS")]
    Tls(SocketAddr, #[source] io::Error),
    /// The answer is not HTTP, or breaks off.
    #[error("{0} did not answer as HTTP")]
    Http(SocketAddr, #[source] hyper::Error),
    /// The process says that it is not ready.
    #[error("{0} answered {1}")]
    NotReady(SocketAddr, StatusCode),
    /// There is no answer in time.
    #[error("{0} did not answer within {DEADLINE:?}")]
    Deadline(SocketAddr),
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP without TLS.
    Plain,
    /// HTTP over TLS.
    Tls,
}

impl Transport {
    /// What a listener with these settings speaks.
    pub fn of(settings: &TlsSettings) -> Self {
        if settings.is_set() { Self::Tls } else { Self::Plain }
    }
}

/// Asks `GET /readyz` of `address`. An unspecified address is asked through loopback.
pub async fn ready(address: SocketAddr, transport: Transport) -> Result<(), CheckError> {
    let address = reachable(address);
    let asked = async {
        let tcp = TcpStream::connect(address).await;
        let tcp = tcp.map_err(|error| CheckError::Connect(address, error))?;
        match transport {
            Transport::Plain => ask(address, tcp).await,
            Transport::Tls => {
                let tls = Box::pin(connect(address.ip(), tcp)).await;
                ask(address, tls.map_err(|error| CheckError::Tls(address, error))?).await
            }
        }
    };
    timeout(DEADLINE, asked).await.map_err(|_| CheckError::Deadline(address))?
}

async fn ask(
    address: SocketAddr,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<(), CheckError> {
    let failed = |error| CheckError::Http(address, error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get("/readyz")
        .header(header::HOST, address.to_string())
        .body(Empty::<Bytes>::new())
        .expect("the parts are constant");
    let exchange = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        match response.status() {
            StatusCode::OK => Ok(()),
            status => Err(CheckError::NotReady(address, status)),
        }
    };
    tokio::select! {
        answer = exchange => answer,
        // A connection that ends before the answer has failed. Its error says more.
        Err(error) = connection => Err(failed(error)),
    }
}

/// The address to connect to for a listener at `address`: loopback if it listens on all addresses.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests;
