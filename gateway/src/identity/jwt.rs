//! Checks a JSON Web Token (RFC 7519, and the advice of RFC 8725): its signature with a key of the
//! settings and an algorithm that the key is for, then its claims.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{
    Algorithm, Header, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
};
use serde_json::{Map, Value};

use super::unidentified::Reason;
use crate::{
    settings::TokenSettings,
    token_keys::{NoKey, TokenKey, TokenKeys},
};

/// What a token says, when it has been checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) claims: Map<String, Value>,
    /// When the token is no longer taken.
    pub(super) expires_at: Option<SystemTime>,
}

/// The header of a token. It decides only which of our keys is tried.
pub(super) fn header(token: &str) -> Result<Header, Reason> {
    let unreadable =
        Reason::BadToken("the token is no JWT with a signature of an algorithm that is taken");
    let header = decode_header(token).map_err(|_| unreadable)?;
    // RFC 7515, section 4.1.11: none of the extensions that may be listed there is known here.
    if header.crit.is_some() {
        return Err(Reason::BadToken("the token has an extension (crit) that is not known"));
    }
    Ok(header)
}

/// Checks a token with this header.
pub(super) fn check(
    token: &str,
    header: &Header,
    settings: &TokenSettings,
    keys: &TokenKeys,
) -> Result<Checked, Reason> {
    let found = keys.for_token(header).map_err(|no_key| match no_key {
        NoKey::Unknown => Reason::UnknownKey,
        NoKey::Algorithm => Reason::BadToken("the algorithm of the token is not that of the key"),
        NoKey::Unnamed => Reason::BadToken("the token does not name its key (kid)"),
    })?;
    if !has_type(header, &settings.types) {
        return Err(Reason::BadToken("the token is of another type (typ)"));
    }
    let validation = validation(settings, header.alg);
    let mut reason = Reason::BadToken(WRONG_SIGNATURE);
    for TokenKey { key, .. } in found {
        match decode::<Map<String, Value>>(token, key, &validation) {
            Ok(decoded) => {
                let is_for_somebody = decoded.claims.get("aud").is_some_and(|aud| !aud.is_null());
                // Of whatever type it is: the library looks at texts and lists only.
                if settings.audience.is_empty() && is_for_somebody {
                    return Err(Reason::BadToken(OTHER_AUDIENCE));
                }
                return Ok(Checked::new(decoded.claims, settings.leeway));
            }
            Err(error) => reason = reason_of(&error),
        }
        // Any other reason is one of the claims, which another key does not change.
        if reason != Reason::BadToken(WRONG_SIGNATURE) {
            break;
        }
    }
    Err(reason)
}

/// Whether the header has one of `types`, if there are any. Case does not matter, and
/// `application/` may be left out (RFC 7515, section 4.1.9).
fn has_type(header: &Header, types: &[String]) -> bool {
    fn short(text: &str) -> String {
        let text = text.to_ascii_lowercase();
        text.strip_prefix("application/").map(str::to_owned).unwrap_or(text)
    }
    let typ = header.typ.as_deref().map(short);
    types.is_empty() || typ.is_some_and(|typ| types.iter().any(|it| short(it) == typ))
}

const OTHER_AUDIENCE: &str = "the token is for another audience (aud)";
const WRONG_SIGNATURE: &str = "the signature of the token cannot be verified";

fn validation(settings: &TokenSettings, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = settings.leeway.as_secs();
    validation.validate_nbf = true;
    // What is compared must be there: the library compares only what it finds.
    validation.required_spec_claims.clear();
    let mut require = |claim: &str| validation.required_spec_claims.insert(claim.to_owned());
    if settings.require_expiry {
        require("exp");
    }
    if !settings.issuer.is_empty() {
        require("iss");
    }
    if !settings.audience.is_empty() {
        require("aud");
    }
    if !settings.issuer.is_empty() {
        validation.set_issuer(&settings.issuer);
    }
    if !settings.audience.is_empty() {
        validation.set_audience(&settings.audience);
    }
    validation
}

fn reason_of(error: &Error) -> Reason {
    Reason::BadToken(match error.kind() {
        ErrorKind::ExpiredSignature => "the token has expired (exp)",
        ErrorKind::ImmatureSignature => "the token is not valid yet (nbf)",
        ErrorKind::InvalidIssuer => "the token is of another issuer (iss)",
        ErrorKind::InvalidAudience => OTHER_AUDIENCE,
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of exp, iss and aud",
        ErrorKind::InvalidClaimFormat(_) => "exp or nbf of the token is no time",
        ErrorKind::Json(_) | ErrorKind::Utf8(_) => "the claims of the token are no JSON object",
        _ => WRONG_SIGNATURE,
    })
}

impl Checked {
    fn new(claims: Map<String, Value>, leeway: Duration) -> Self {
        let seconds = claims.get("exp").and_then(Value::as_f64);
        let since = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.round()).ok());
        let expires_at = since
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
            .and_then(|at| at.checked_add(leeway));
        Self { claims, expires_at }
    }
}
