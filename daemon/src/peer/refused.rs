//! Why nothing was sent on a new connection.

use std::{io, net::SocketAddr};

/// Nothing was sent on a new connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The other end is of a user that is not trusted.
    #[error(
        "nothing was sent to {address}: a process of the user with the number {user} has it, and \
         access.service_users does not name this user"
    )]
    Untrusted { address: SocketAddr, user: u32 },
    /// The other end was closed before anybody accepted the connection.
    #[error("nothing was sent to {0}: its listener has closed")]
    Closed(SocketAddr),
    /// The system did not say whose the other end is.
    #[error("nothing was sent to {address}: whose it is cannot be told now")]
    Unknown { address: SocketAddr, source: io::Error },
}
