//! Signatures for an object store, with the pair of the role.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha1::{Digest, Sha1};

use super::credentials::role;

const HOUR: Duration = Duration::from_hours(1);

/// The header `Authorization` of a request that may be sent now. `headers` are its signed headers,
/// with encoded values.
pub(super) fn valid(method: &Method, target: &str, headers: &[(&str, &str)]) -> String {
    let now = SystemTime::now();
    signed(method, target, headers, [now - HOUR, now + HOUR])
}

/// The same of a request that was to be sent an hour ago.
pub(super) fn expired(method: &Method, target: &str) -> String {
    let now = SystemTime::now();
    signed(method, target, &[], [now - 2 * HOUR, now - HOUR])
}

fn signed(
    method: &Method,
    target: &str,
    headers: &[(&str, &str)],
    [begin, end]: [SystemTime; 2],
) -> String {
    let [begin, end] = [begin, end].map(|it| it.duration_since(UNIX_EPOCH).unwrap().as_secs());
    let time = format!("{begin};{end}");
    let pair = role();
    let path = target.split('?').next().unwrap_or_default();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let pairs: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let method = method.as_str().to_lowercase();
    let request = format!("{method}\n{path}\n\n{}\n", pairs.join("&"));
    let text = format!("sha1\n{time}\n{}\n", hex(&Sha1::digest(request)));
    let signature = mac(&mac(pair.key.reveal(), &time), &text);
    format!(
        "q-sign-algorithm=sha1&q-ak={}&q-sign-time={time}&q-key-time={time}&q-header-list={}\
         &q-url-param-list=&q-signature={signature}",
        pair.id,
        names.join(";")
    )
}

fn mac(key: &str, text: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap().chain_update(text);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
