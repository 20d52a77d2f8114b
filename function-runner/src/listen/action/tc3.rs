//! The signature TC3-HMAC-SHA256 (documented): checks that a request was signed with the secret key
//! a short time ago. The body is always signed too. What does not need the body is checked before
//! the body is read.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header, request::Parts};
use sha2::{Digest, Sha256};
use shared::action::{ActionError, ActionErrorCode, TIMESTAMP_HEADER};

use crate::settings::SecretPair;

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const CONTENT_HASH_HEADER: &str = "x-tc-content-sha256";
/// The largest difference between the clock of the caller and ours, in seconds (documented).
const SKEW_MAX: u64 = 300;

/// The parts of the header `Authorization`.
struct Authorization<'a> {
    secret_id: &'a str,
    /// `<date>/<service>/tc3_request`
    scope: &'a str,
    date: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// The head of a request whose signature may be right: all that can be checked without the body is
/// right.
pub(super) struct SignedHead {
    /// The part of the request that is signed, but the hash of the body at its end.
    canonical: String,
    /// What comes before the hash of all of that.
    before_hash: String,
    key: Vec<u8>,
    signature: Vec<u8>,
}

/// Whether `head` names the id of `pair`. Says nothing of its signature.
pub(super) fn is_of(pair: &SecretPair, head: &Parts) -> bool {
    Authorization::of(&head.headers).is_ok_and(|given| given.secret_id == pair.id())
}

impl SignedHead {
    /// Checks that `head` names `pair`, that it was signed at about `now`, and that it signs what
    /// it has to. Needs no body, so that none is read of who does not know the secret id.
    pub(super) fn check(
        pair: &SecretPair,
        head: &Parts,
        now: SystemTime,
    ) -> Result<Self, ActionError> {
        let authorization = Authorization::of(&head.headers)?;
        if authorization.secret_id != pair.id() {
            let message = "secret id is not the one in the settings of the runner";
            return Err(ActionError::new(ActionErrorCode::SecretIdNotFound, message));
        }
        let timestamp = text(&head.headers, TIMESTAMP_HEADER).ok_or_else(|| {
            let message = "X-TC-Timestamp is missing, or there twice; use the seconds since 1970";
            ActionError::new(ActionErrorCode::MissingParameter, message)
        })?;
        check_time(timestamp, authorization.date, now)?;
        Ok(Self {
            canonical: canonical_head(head, authorization.signed_headers)?,
            before_hash: format!("{ALGORITHM}\n{timestamp}\n{}\n", authorization.scope),
            key: authorization.signing_key(pair.key()),
            signature: from_hex(authorization.signature).unwrap_or_default(),
        })
    }

    /// Checks that the head and `body` were signed with the pair.
    pub(super) fn verify(mut self, body: &[u8]) -> Result<(), ActionError> {
        self.canonical += &hash(body);
        let to_sign = self.before_hash + &hash(self.canonical.as_bytes());
        // In constant time: the time must not tell how much of a signature is right.
        mac(&self.key, &to_sign).verify_slice(&self.signature).map_err(|_| {
            failure("signature is not that of this request; check the secret key and the host")
        })
    }
}

impl<'a> Authorization<'a> {
    fn of(headers: &'a HeaderMap) -> Result<Self, ActionError> {
        let parsed = text(headers, header::AUTHORIZATION.as_str()).and_then(Self::parse);
        parsed.ok_or_else(|| {
            let message = format!(
                "Authorization is missing, there twice, or has another form; use {ALGORITHM} \
                 Credential=<id>/<date>/scf/tc3_request, SignedHeaders=content-type;host, \
                 Signature=<hex>"
            );
            ActionError::new(ActionErrorCode::InvalidAuthorization, message)
        })
    }

    fn parse(text: &'a str) -> Option<Self> {
        let fields = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let field = |name: &str| {
            let mut pairs = fields.split(',').filter_map(|field| field.trim().split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let (secret_id, scope) = field("Credential")?.split_once('/')?;
        let (date, rest) = scope.split_once('/')?;
        let service = rest.strip_suffix("/tc3_request")?;
        let (signed_headers, signature) = (field("SignedHeaders")?, field("Signature")?);
        Some(Self { secret_id, scope, date, service, signed_headers, signature })
    }

    /// The key for one day and one service.
    fn signing_key(&self, secret_key: &str) -> Vec<u8> {
        let seed = format!("TC3{secret_key}").into_bytes();
        [self.date, self.service, "tc3_request"]
            .iter()
            .fold(seed, |key, part| mac(&key, part).finalize().into_bytes().to_vec())
    }
}

/// So that nobody can send a recorded request again after a few minutes.
fn check_time(timestamp: &str, date: &str, now: SystemTime) -> Result<(), ActionError> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let expired = |what: String| ActionError::new(ActionErrorCode::SignatureExpire, what);
    let signed: u64 = timestamp.parse().map_err(|_| {
        expired("X-TC-Timestamp is not a number; use the seconds since 1970".to_owned())
    })?;
    let skew = now.abs_diff(signed);
    if skew > SKEW_MAX {
        let when = if signed < now { "ago" } else { "ahead" };
        return Err(expired(format!(
            "signed {skew} seconds {when}, and {SKEW_MAX} are allowed; sign again, or set the clocks"
        )));
    }
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(signed);
    if humantime::format_rfc3339_seconds(day).to_string().starts_with(date) && date.len() == 10 {
        return Ok(());
    }
    Err(failure("date in Credential is not that of X-TC-Timestamp; use the date in UTC"))
}

/// The part of the request that is signed, but the hash of the body at its end. It has no query: a
/// POST has none.
fn canonical_head(head: &Parts, signed: &str) -> Result<String, ActionError> {
    if head.headers.get_all(CONTENT_HASH_HEADER).iter().any(|hash| hash == "UNSIGNED-PAYLOAD") {
        return Err(failure("an unsigned payload is not taken here; sign the body"));
    }
    for name in ["content-type", "host"] {
        if signed.split(';').all(|found| found != name) {
            return Err(failure(format!("header {name} is not signed; add it to SignedHeaders")));
        }
    }
    let mut headers = String::new();
    for name in signed.split(';') {
        let value = text(&head.headers, name).ok_or_else(|| {
            failure(format!(
                "header {name:?} is in SignedHeaders and not in the request, or there twice"
            ))
        })?;
        headers.extend([name, ":", &value.trim().to_lowercase(), "\n"]);
    }
    let (method, path) = (&head.method, head.uri.path());
    Ok(format!("{method}\n{path}\n\n{headers}\n{signed}\n"))
}

fn failure(message: impl Into<String>) -> ActionError {
    ActionError::new(ActionErrorCode::SignatureFailure, message)
}

/// The value of the header `name`. None if it is there more than once: nobody could say which of
/// them was signed.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.chain_update(text)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests;
