//! The health check: asks a running process of ours whether it is ready.
//!
//! Images without curl run it as the binary's own `check` subcommand.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// Longer than this is as good as not ready.
const DEADLINE: Duration = Duration::from_secs(3);

/// The process is not ready.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody listens there.
    #[error("could not connect to {0}")]
    Connect(SocketAddr, #[source] io::Error),
    /// Somebody listens, but not as expected.
    #[error("{0} did not answer as HTTP")]
    Http(SocketAddr, #[source] hyper::Error),
    /// It says that it is not ready.
    #[error("{0} answered {1}")]
    NotReady(SocketAddr, StatusCode),
    /// It does not answer.
    #[error("{0} did not answer within {DEADLINE:?}")]
    Deadline(SocketAddr),
}

/// Asks `GET /readyz` of `address`. An unspecified address is asked through loopback.
pub async fn ready(address: SocketAddr) -> Result<(), CheckError> {
    let address = reachable(address);
    timeout(DEADLINE, ask(address)).await.map_err(|_| CheckError::Deadline(address))?
}

async fn ask(address: SocketAddr) -> Result<(), CheckError> {
    let failed = |error| CheckError::Http(address, error);
    let stream =
        TcpStream::connect(address).await.map_err(|error| CheckError::Connect(address, error))?;
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
        // The connection only ends before the answer by failing; its error tells more.
        Err(error) = connection => Err(failed(error)),
    }
}

/// The address to connect to for one that is listened on: nobody connects to "any".
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
