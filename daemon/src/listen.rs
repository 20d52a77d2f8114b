//! Opening a listener.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// How many connections the system queues until this process accepts them. When the queue is full,
/// the system of the peer tries again a second later. The default of the library is 128, which is
/// little when thousands of clients come back at once.
pub const BACKLOG: u32 = 1024;

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
#[expect(clippy::unused_async, reason = "runners of users await it")]
pub async fn listen(address: SocketAddr, place: String) -> Result<TcpListener, ListenError> {
    open(address).map_err(|source| ListenError { address, place, source })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart listens at once, though connections of the process before may still be closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
