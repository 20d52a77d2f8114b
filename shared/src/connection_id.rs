//! The id of one client connection, `secConnectionID` on the wire.
//!
//! The id is opaque to functions and clients. Its last bytes are the tag of the gateway node that
//! owns the connection; the rest is random.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE};

/// Bytes of randomness in an id: a version 4 UUID, of which 122 bits are random.
pub const RANDOM_BYTES: usize = 16;
/// Length of the node tag in bytes.
pub const NODE_BYTES: usize = 3;

/// Length of an id in bytes.
pub const BYTES: usize = RANDOM_BYTES + NODE_BYTES;
/// Length of an id as text.
const CHARACTERS: usize = 28;

/// 16 random bytes, then the 3 bytes of the node tag.
///
/// The text form is padded URL-safe base64 (RFC 4648 section 5): 28 characters that end in `==`,
/// like the id in Tencent's documentation. The alphabet has no `/` and no `+`, so an id can stand
/// unescaped in JSON and name a file or an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId([u8; BYTES]);

/// The text is not the text form of any [`ConnectionId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a connection id is 28 characters of padded URL-safe base64")]
pub struct NotAConnectionId;

impl ConnectionId {
    /// Makes an id of random bytes, which the caller provides, and the tag of the caller's node.
    pub fn new(random: [u8; RANDOM_BYTES], node: [u8; NODE_BYTES]) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..RANDOM_BYTES].copy_from_slice(&random);
        bytes[RANDOM_BYTES..].copy_from_slice(&node);
        Self(bytes)
    }

    /// The inverse of [`Self::as_bytes`].
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// The tag of the gateway node that owns the connection.
    pub fn node(&self) -> [u8; NODE_BYTES] {
        let mut node = [0; NODE_BYTES];
        node.copy_from_slice(&self.0[RANDOM_BYTES..]);
        node
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; CHARACTERS];
        URL_SAFE.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}

impl FromStr for ConnectionId {
    type Err = NotAConnectionId;

    fn from_str(text: &str) -> Result<Self, NotAConnectionId> {
        if text.len() != CHARACTERS {
            return Err(NotAConnectionId);
        }
        let bytes = URL_SAFE.decode(text).map_err(|_| NotAConnectionId)?;
        Ok(Self(bytes.try_into().map_err(|_| NotAConnectionId)?))
    }
}
