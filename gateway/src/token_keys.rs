//! The keys that tokens are checked with: a secret, public keys in PEM, or JSON Web Keys (RFC
//! 7517).
//!
//! The kind of a key decides which algorithms it is for, so that nothing in a token can have a
//! public key taken for a secret. Keys that are named or sent by a token are never used.

mod jwk;
mod pem;

use daemon::settings::Secret;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header};
use serde_json::Value;

/// How many keys are tried for a token that does not name its key.
const TRIED_MAX: usize = 8;
/// The shortest modulus of an RSA key in bits (RFC 7518, section 3.3).
const RSA_BITS_MIN: usize = 2048;

/// Keys for the tokens of one issuer.
#[derive(Debug, Clone)]
pub(crate) struct TokenKeys {
    /// What the keys were read from, to tell whether they have changed.
    source: Secret,
    keys: Vec<TokenKey>,
}

/// One key.
#[derive(Debug, Clone)]
pub(crate) struct TokenKey {
    /// `kid`, by which tokens name the key. Keys in PEM have none.
    id: Option<String>,
    /// The algorithms that the key is for.
    algorithms: Vec<Algorithm>,
    pub(crate) key: DecodingKey,
}

/// No key is for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// There is no key of this name. There may be one soon.
    Unknown,
    /// No key is for the algorithm of the token.
    Algorithm,
    /// The token names no key, and too many are for its algorithm.
    Unnamed,
}

impl TokenKeys {
    /// A secret that the issuer shares: for HS256, and for HS384 and HS512 if it is as long as
    /// their hashes (RFC 7518, section 3.2).
    pub(crate) fn of_secret(text: &str) -> Result<Self, String> {
        if let Some(kind) = public_kind(text) {
            return Err(format!("is {kind} and not a secret; use key or key_file"));
        }
        let algorithms = algorithms_of_secret(text.len());
        if algorithms.is_empty() {
            return Err("is shorter than 32 bytes, which HS256 needs; use a longer one, from a \
                        random source"
                .to_owned());
        }
        let key = DecodingKey::from_secret(text.as_bytes());
        Ok(Self::new(text, vec![TokenKey { id: None, algorithms, key }]))
    }

    /// Public keys in PEM, a JSON Web Key, or a set of them.
    pub(crate) fn of_text(text: &str) -> Result<Self, String> {
        let keys = if text.contains("-----BEGIN ") {
            pem::read(text)?
        } else {
            let read = jwk::read(text.as_bytes())?;
            read.needs_a_key()?;
            // Somebody has chosen each key, so each has to be of use.
            if let Some(problem) = read.left_out.into_iter().next() {
                return Err(problem);
            }
            read.keys
        };
        Ok(Self::new(text, keys))
    }

    /// The public keys in a set that an issuer publishes, and why others in it are of no use. A
    /// secret cannot be one of them: everybody can read the set. There may be none: an issuer
    /// revokes its keys by leaving them out.
    pub(crate) fn of_set(json: &[u8]) -> Result<(Self, Vec<String>), String> {
        let read = jwk::read(json)?;
        if !read.is_set {
            read.needs_a_key()?;
        }
        let (mut keys, mut left_out) = (read.keys, read.left_out);
        let count = keys.len();
        keys.retain(|key| key.key.family() != AlgorithmFamily::Hmac);
        if keys.len() < count {
            left_out.push("a secret in a public set is not used".to_owned());
        }
        Ok((Self::new("", keys), left_out))
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    fn new(source: &str, keys: Vec<TokenKey>) -> Self {
        Self { source: Secret::new(source), keys }
    }

    /// The keys that a token with this header may be signed with; there is at least one.
    pub(crate) fn for_token(&self, header: &Header) -> Result<Vec<&TokenKey>, NoKey> {
        let has_algorithm = |key: &&TokenKey| key.algorithms.contains(&header.alg);
        let named = |key: &&TokenKey| key.id.is_some() && key.id == header.kid;
        // A key without a name may be the one that the token names.
        let unnamed = |key: &&TokenKey| key.id.is_none() || header.kid.is_none();
        let mut found: Vec<_> = self.keys.iter().filter(named).collect();
        if found.is_empty() {
            found = self.keys.iter().filter(unnamed).collect();
        }
        if found.is_empty() {
            return Err(NoKey::Unknown);
        }
        found.retain(|key| has_algorithm(key));
        match found.len() {
            0 => Err(NoKey::Algorithm),
            1..=TRIED_MAX => Ok(found),
            _ => Err(NoKey::Unnamed),
        }
    }
}

impl PartialEq for TokenKeys {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// What `text` is, if it is a key that everybody may know, or one that is made for other settings.
/// With a public key as its secret, an API would take tokens of everybody.
fn public_kind(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if text.contains("-----BEGIN ") {
        return Some("a key in PEM");
    }
    let is_jwk = |value: &Value| value.get("kty").is_some() || value.get("keys").is_some();
    if serde_json::from_str(text).is_ok_and(|value| is_jwk(&value)) {
        return Some("a JWK or a set of JWKs");
    }
    if ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|begin| text.starts_with(begin)) {
        return Some("a public key of SSH");
    }
    // The middle of a file in PEM.
    let block = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
    pem::read(&block).is_ok().then_some("a public key in base64")
}

fn algorithms_of_secret(bytes: usize) -> Vec<Algorithm> {
    let all = [(32, Algorithm::HS256), (48, Algorithm::HS384), (64, Algorithm::HS512)];
    all.into_iter().filter(|(least, _)| bytes >= *least).map(|(_, algorithm)| algorithm).collect()
}

#[cfg(test)]
mod tests;
