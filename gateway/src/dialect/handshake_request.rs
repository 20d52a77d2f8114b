//! What a client's handshake asks for. Only the event of the register function needs this, so it is
//! dropped when the connection has been opened.

use http::{HeaderMap, Uri};

use crate::{identity::Identity, settings::PathMatch};

/// The request of a handshake, as far as functions see it.
#[derive(Debug)]
pub(crate) struct HandshakeRequest {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) path: PathMatch,
    /// `Sec-WebSocket-Protocol` verbatim. The lines of a repeated header are joined, as RFC 6455
    /// section 11.3.4 allows.
    pub(crate) protocols: Option<String>,
    /// `Sec-WebSocket-Extensions` verbatim, joined likewise.
    pub(crate) extensions: Option<String>,
    /// Who the client proved to be. None for a client that did not have to prove anything.
    pub(crate) identity: Option<Identity>,
}
