//! Opening a listener.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("could not listen on {address}, which is set by {place}")]
pub struct ListenError {
    address: SocketAddr,
    place: String,
    source: io::Error,
}

/// Listens on `address`. `place` says where it is set, for the error: a key in a file, or a
/// variable.
pub async fn listen(address: SocketAddr, place: String) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, place, source })
}
