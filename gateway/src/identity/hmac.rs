//! The signature of a key pair in `Authorization` (documented): a client signs headers of its
//! handshake, a date among them.
//!
//! A date has a resolution of one second and may be [`SKEW_MAX`] off. So a handshake that somebody
//! repeats within that time cannot be told from a second device of the same client.

mod authorization;

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use self::authorization::{Algorithm, Authorization};
use super::{Identity, unidentified::Reason};
use crate::settings::KeyPair;

/// The largest difference between the clock of the client and ours (documented).
const SKEW_MAX: Duration = Duration::from_secs(900);

/// The same for an id that is not there and for a signature that does not fit, so that nobody can
/// try out ids.
const WRONG: Reason = Reason::BadSignature("HMAC id or signature cannot be verified");
const REPEATED: Reason = Reason::BadSignature("header Authorization came more than once");
const MALFORMED: Reason = Reason::BadSignature(
    "header Authorization is not of the form hmac id=\"…\", algorithm=\"hmac-sha256\", \
     headers=\"date …\", signature=\"…\", with hmac-sha1, hmac-sha256, hmac-sha384 or hmac-sha512",
);
const NOT_THERE: Reason =
    Reason::BadSignature("HMAC signature needs each of its headers exactly once in the request");
const NO_DATE: Reason = Reason::BadSignature("HMAC signature needs date or x-date in its headers");
const BAD_DATE: Reason = Reason::BadSignature(
    "HMAC signature needs a date such as Fri, 09 Oct 2015 00:00:00 GMT, at most 900 s off",
);

/// Checks the signature in `headers` as [`verify`] does, and takes it out of them.
pub(super) fn take(
    pairs: &[KeyPair],
    headers: &mut HeaderMap,
    now: SystemTime,
) -> Result<Identity, Reason> {
    let identity = verify(pairs, headers, now)?;
    headers.remove(header::AUTHORIZATION);
    Ok(identity)
}

/// Checks that the owner of one of `pairs` has signed `headers` at about `now`.
fn verify(pairs: &[KeyPair], headers: &HeaderMap, now: SystemTime) -> Result<Identity, Reason> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let line = lines.next().ok_or(Reason::NoSignature)?;
    if lines.next().is_some() {
        return Err(REPEATED);
    }
    let line = line.to_str().map_err(|_| MALFORMED)?;
    let authorization = Authorization::parse(line).ok_or(MALFORMED)?;
    let signed = signed_text(&authorization, headers)?;
    let pair = pairs.iter().find(|pair| pair.id == authorization.id);
    // An id that is not there takes as long as a wrong signature.
    let secret = pair.map_or("", |pair| pair.secret.reveal());
    let signature = STANDARD.decode(authorization.signature).map_err(|_| WRONG)?;
    let fits = authorization.algorithm.fits(secret.as_bytes(), &signed, &signature);
    let pair = pair.filter(|_| fits).ok_or(WRONG)?;
    // After the signature: what a forger sends is not worth a closer look.
    check_date(&authorization, headers, now)?;
    Ok(Identity::KeyPair { id: pair.id.clone() })
}

/// `date: <value>\nsource: <value>`: the listed headers in their order, names in lower case.
fn signed_text(authorization: &Authorization<'_>, headers: &HeaderMap) -> Result<Vec<u8>, Reason> {
    let mut text = Vec::new();
    for name in authorization.headers() {
        let name = name.to_ascii_lowercase();
        let mut values = headers.get_all(&name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(NOT_THERE) };
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
    }
    Ok(text)
}

fn check_date(
    authorization: &Authorization<'_>,
    headers: &HeaderMap,
    now: SystemTime,
) -> Result<(), Reason> {
    let is_signed =
        |name: &&str| authorization.headers().any(|signed| signed.eq_ignore_ascii_case(name));
    let name = ["x-date", "date"].into_iter().find(is_signed).ok_or(NO_DATE)?;
    let text = headers.get(name).and_then(|value| value.to_str().ok()).ok_or(BAD_DATE)?;
    let date = httpdate::parse_http_date(text).map_err(|_| BAD_DATE)?;
    let skew = date.duration_since(now).unwrap_or_else(|earlier| earlier.duration());
    if skew > SKEW_MAX { Err(BAD_DATE) } else { Ok(()) }
}

impl Algorithm {
    /// Whether `signature` is that of `text`. Takes the same time however much of it is right.
    fn fits(self, secret: &[u8], text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Sha1 => fits::<Hmac<Sha1>>(secret, text, signature),
            Self::Sha256 => fits::<Hmac<Sha256>>(secret, text, signature),
            Self::Sha384 => fits::<Hmac<Sha384>>(secret, text, signature),
            Self::Sha512 => fits::<Hmac<Sha512>>(secret, text, signature),
        }
    }
}

fn fits<M: Mac + KeyInit>(secret: &[u8], text: &[u8], signature: &[u8]) -> bool {
    let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests;
