//! The signature of a request, computed from the secret key, and compared.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, header};
use sha1::{Digest, Sha1};

use super::{Authorization, Query, authorization::canonical_name, percent::encode};

/// The parts of a request that can be signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedRequest<'r> {
    pub(crate) method: &'r Method,
    /// The whole path, decoded.
    pub(crate) path: &'r str,
    pub(crate) query: &'r Query,
    pub(crate) headers: &'r HeaderMap,
    /// The host that the request goes to, perhaps with a port.
    pub(crate) host: &'r str,
}

impl SignedRequest<'_> {
    /// Whether `authorization` is the signature of this request with `secret_key`. The time does
    /// not tell how much of it is right.
    pub(crate) fn is_signed(&self, authorization: &Authorization, secret_key: &str) -> bool {
        let Some(presented) = from_hex(&authorization.signature) else { return false };
        // Some clients sign the host with its port, others without.
        let bare = self.host.rsplit_once(':').map_or(self.host, |(bare, _)| bare);
        let hosts = [self.host, bare];
        let key = mac(secret_key.as_bytes(), &authorization.key_time.text).finalize();
        let key = hex(&key.into_bytes());
        hosts
            .map(|host| {
                let text = Sha1::digest(self.canonical(authorization, host));
                let text = format!("sha1\n{}\n{}\n", authorization.sign_time.text, hex(&text));
                mac(key.as_bytes(), &text).verify_slice(&presented).is_ok()
            })
            .contains(&true)
    }

    /// The text that is hashed and signed.
    fn canonical(&self, authorization: &Authorization, host: &str) -> String {
        let value_of_header = |name: &str| {
            if name == header::HOST.as_str() {
                return Some(encode(host.as_bytes()));
            }
            Some(encode(self.headers.get(name)?.as_bytes().trim_ascii()))
        };
        let value_of_parameter = |name: &str| {
            let mut pairs = self.query.pairs();
            pairs
                .find(|(found, _)| canonical_name(found) == name)
                .map(|(_, value)| encode(value.as_bytes()))
        };
        let method = self.method.as_str().to_lowercase();
        let parameters = joined(&authorization.parameters, value_of_parameter);
        let headers = joined(&authorization.headers, value_of_header);
        format!("{method}\n{}\n{parameters}\n{headers}\n", self.path)
    }
}

/// The names with their values. A name without one is left out, so that the signature is wrong.
fn joined(names: &[String], value: impl Fn(&str) -> Option<String>) -> String {
    let pairs = names.iter().filter_map(|name| Some(format!("{name}={}", value(name)?)));
    pairs.collect::<Vec<_>>().join("&")
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha1> {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("a key may have any length");
    mac.chain_update(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| rest.is_empty())
}
