//! The WebSocket handshake of RFC 6455 section 4.2: the client's request, and the answer.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use daemon::http::{Body, full};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::refusal::Refusal;
use crate::{
    api::{Api, ApiConfig},
    connection::Expiry,
    dialect::HandshakeRequest,
    identity::{Identification, Identified},
    settings::PathMatch,
};

/// Headers that a handshake must have exactly once (RFC 6455 sections 4.2.1, 11.3.1 and 11.3.5),
/// each with what is said if it has not. The listener has checked `Host`.
const SINGLE: [(header::HeaderName, &str); 2] = [
    (header::SEC_WEBSOCKET_KEY, "need header Sec-WebSocket-Key, exactly once"),
    (header::SEC_WEBSOCKET_VERSION, "need header Sec-WebSocket-Version, exactly once"),
];

/// A valid handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) request: HandshakeRequest,
    key: HeaderValue,
}

impl Handshake {
    /// Checks the request line and headers of a request.
    pub(crate) fn check(head: http::request::Parts, path: PathMatch) -> Result<Self, Refusal> {
        let http::request::Parts { method, uri, version, headers, .. } = head;
        let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).cloned() else {
            return Err(Refusal::NotWebSocket);
        };
        if method != Method::GET {
            return Err(Refusal::BadHandshake("a WebSocket handshake needs method GET"));
        }
        if has_body(&headers) {
            return Err(Refusal::BadHandshake("a WebSocket handshake has no body"));
        }
        if version < Version::HTTP_11 {
            return Err(Refusal::BadHandshake("a WebSocket handshake needs HTTP/1.1"));
        }
        if !asks_for_websocket(&headers) {
            return Err(Refusal::BadHandshake("need header Upgrade: websocket"));
        }
        if !has_token(&headers, &header::CONNECTION, "upgrade") {
            return Err(Refusal::BadHandshake("need header Connection: Upgrade"));
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Refusal::WrongVersion);
        }
        for (name, problem) in SINGLE {
            if headers.get_all(name).iter().count() != 1 {
                return Err(Refusal::BadHandshake(problem));
            }
        }
        if !STANDARD.decode(&key).is_ok_and(|key| key.len() == 16) {
            return Err(Refusal::BadHandshake("Sec-WebSocket-Key must be the base64 of 16 bytes"));
        }
        let protocols = joined(&headers, &header::SEC_WEBSOCKET_PROTOCOL);
        let extensions = joined(&headers, &header::SEC_WEBSOCKET_EXTENSIONS);
        let request =
            HandshakeRequest { uri, headers, path, protocols, extensions, identity: None };
        Ok(Self { request, key })
    }

    /// Has `identification` find out who the client is. Returns when the connection is to be closed
    /// because of that.
    pub(super) async fn identify(
        &mut self,
        identification: &Identification,
        api: &Api,
        config: &Arc<ApiConfig>,
        client: IpAddr,
    ) -> Result<Option<Expiry>, Refusal> {
        let HandshakeRequest { uri, headers, .. } = &mut self.request;
        let identified = identification.identify(api, config, client, uri, headers).await?;
        let Some(Identified { identity, close_at }) = identified else { return Ok(None) };
        self.request.identity = Some(identity);
        // A token among them has been taken out.
        self.request.protocols = joined(&self.request.headers, &header::SEC_WEBSOCKET_PROTOCOL);
        Ok(close_at.map(Expiry::new))
    }

    /// The subprotocols that the client offers, those that it wants most first.
    pub(super) fn offered(&self) -> impl Iterator<Item = &str> {
        entries(self.request.protocols.as_deref().unwrap_or_default())
    }

    /// What the 101 needs.
    pub(crate) fn acceptance(&self, protocol: Option<String>) -> Acceptance {
        Acceptance { key: derive_accept_key(self.key.as_bytes()), protocol }
    }
}

/// What goes into the 101.
#[derive(Debug)]
pub(crate) struct Acceptance {
    key: String,
    protocol: Option<String>,
}

impl Acceptance {
    /// The 101. It never claims an extension, since the gateway speaks none.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::UPGRADE, "websocket")
            .header(header::CONNECTION, "Upgrade")
            .header(header::SEC_WEBSOCKET_ACCEPT, self.key);
        if let Some(protocol) = self.protocol {
            response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response.body(full("")).expect("the protocol came in a header, so it fits into one")
    }
}

/// Whether a request asks for a WebSocket. Whatever else it offers to speak is ignored (RFC 9110
/// section 7.8).
pub(crate) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| entries(value).any(|entry| entry.eq_ignore_ascii_case(token)))
}

/// A body would be read as frames.
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

fn joined(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter();
    let texts: Vec<_> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    if texts.is_empty() { None } else { Some(texts.join(", ")) }
}

pub(super) fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}
