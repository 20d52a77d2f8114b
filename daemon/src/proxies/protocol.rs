//! The header of the PROXY protocol, with which a proxy begins a connection (versions 1 and 2).
//!
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::{io, net::SocketAddr};

use ppp::{v1, v2};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// How every header of version 1 begins.
const V1_BEGIN: &[u8] = b"PROXY ";
/// A header of version 1 that says nothing of the client.
const V1_UNKNOWN: &[u8] = b"PROXY UNKNOWN";
/// The shortest header of version 1: `PROXY UNKNOWN`, and the end of the line.
const V1_BYTES_MIN: usize = 15;
/// The longest one (section 2.1).
const V1_BYTES_MAX: usize = 107;
/// What every header of version 2 has: how it begins, version and command, family, and length.
const V2_BYTES_MIN: usize = 16;
/// Where version and command are, and where the length.
const V2_COMMAND: usize = 12;
const V2_LENGTH: usize = 14;
/// Version 2, and the command LOCAL: the proxy asks for itself.
const V2_LOCAL: u8 = 0x20;
/// The longest header of version 2. What it may have beside addresses is a few hundred bytes, or
/// one certificate.
const V2_BYTES_MAX: usize = 8 << 10;

/// Why a connection has no correct header.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("it was closed before its first byte")]
    Left,
    #[error("it ended within its PROXY header")]
    Ended,
    #[error(
        "it does not begin with a PROXY header; have the proxy send one, or unset proxies.protocol"
    )]
    Missing,
    #[error("its PROXY header is longer than {0} bytes")]
    TooLong(usize),
    #[error("its PROXY header is not valid")]
    V1(#[source] v1::BinaryParseError),
    #[error("its PROXY header is not valid")]
    V2(#[source] v2::ParseError),
    #[error("its PROXY header did not come in time")]
    Late,
    #[error("it could not be read")]
    Io(#[source] io::Error),
}

impl HeaderError {
    /// What is wrong, if the error itself does not say it.
    pub(super) fn cause(&self) -> Option<String> {
        std::error::Error::source(self).map(ToString::to_string)
    }
}

/// Reads a header, and nothing of what comes after. The address of the client: none if the header
/// has none, or if the proxy asks for itself.
pub(super) async fn read(tcp: &mut TcpStream) -> Result<Option<SocketAddr>, HeaderError> {
    let mut header = Vec::with_capacity(V1_BYTES_MAX);
    loop {
        let missing = missing(&header)?;
        if missing == 0 {
            return client(&header);
        }
        // A reader that may not read more than that.
        let mut reader = (&mut *tcp).take(missing as u64);
        if reader.read_buf(&mut header).await.map_err(HeaderError::Io)? == 0 {
            return Err(if header.is_empty() { HeaderError::Left } else { HeaderError::Ended });
        }
    }
}

/// How many bytes that have not been read belong to the header in any case. 0 at its end.
fn missing(header: &[u8]) -> Result<usize, HeaderError> {
    let begins = |begin: &[u8]| header.starts_with(begin) || begin.starts_with(header);
    if begins(V1_BEGIN) {
        return match header {
            [.., b'\n'] => Ok(0),
            _ if header.len() >= V1_BYTES_MAX => Err(HeaderError::TooLong(V1_BYTES_MAX)),
            _ => Ok(V1_BYTES_MIN.saturating_sub(header.len()).max(1)),
        };
    }
    if !begins(v2::PROTOCOL_PREFIX) {
        return Err(HeaderError::Missing);
    }
    let length = match header.get(V2_LENGTH..V2_BYTES_MIN) {
        Some(&[high, low]) => V2_BYTES_MIN + usize::from(u16::from_be_bytes([high, low])),
        _ => V2_BYTES_MIN,
    };
    if length > V2_BYTES_MAX {
        return Err(HeaderError::TooLong(V2_BYTES_MAX));
    }
    Ok(length - header.len())
}

/// What a whole header says.
fn client(header: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    if header.starts_with(V1_BEGIN) {
        // Whatever follows has no meaning.
        if let Some(b' ' | b'\r') = header.strip_prefix(V1_UNKNOWN).and_then(<[u8]>::first) {
            return Ok(None);
        }
        let parsed = v1::Header::try_from(header).map_err(HeaderError::V1)?;
        return Ok(match parsed.addresses {
            v1::Addresses::Unknown => None,
            v1::Addresses::Tcp4(both) => Some((both.source_address, both.source_port).into()),
            v1::Addresses::Tcp6(both) => Some((both.source_address, both.source_port).into()),
        });
    }
    if header[V2_COMMAND] == V2_LOCAL {
        return Ok(None);
    }
    let parsed = v2::Header::try_from(header).map_err(HeaderError::V2)?;
    Ok(match parsed.addresses {
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
        v2::Addresses::IPv4(both) => Some((both.source_address, both.source_port).into()),
        v2::Addresses::IPv6(both) => Some((both.source_address, both.source_port).into()),
    })
}
