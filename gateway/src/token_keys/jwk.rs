//! JSON Web Keys and sets of them (RFC 7517), as far as they are of use for checking signatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::{RSA_BITS_MIN, TokenKey, algorithms_of_secret};

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// How many keys a set may have.
const KEYS_MAX: usize = 100;

/// A set, or a single key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Set { keys: Vec<Value> },
    Key(Value),
}

/// What a JSON text has.
pub(super) struct Read {
    pub(super) keys: Vec<TokenKey>,
    /// For each key that is left out, why it is of no use.
    pub(super) left_out: Vec<String>,
    /// Whether it is a set, which may be empty, and not a single key.
    pub(super) is_set: bool,
}

impl Read {
    /// An error if no key can be used.
    pub(super) fn needs_a_key(&self) -> Result<(), String> {
        if self.keys.is_empty() {
            let first = self.left_out.first().map_or("the set is empty", String::as_str);
            return Err(format!("has no key that can be used: {first}"));
        }
        Ok(())
    }
}

/// Reads a key, or a set of keys.
pub(super) fn read(json: &[u8]) -> Result<Read, String> {
    // Not the error of the parser, which quotes the text.
    let document: Document = serde_json::from_slice(json)
        .map_err(|_| "is neither PEM nor JSON, such as a JWK or a set of them".to_owned())?;
    let (values, is_set) = match document {
        Document::Set { keys } => (keys, true),
        Document::Key(key) => (vec![key], false),
    };
    if values.len() > KEYS_MAX {
        return Err(format!("has more than {KEYS_MAX} keys"));
    }
    let (mut keys, mut left_out) = (Vec::new(), Vec::new());
    for (number, value) in values.into_iter().enumerate() {
        match read_key(value) {
            Ok(key) => keys.push(key),
            Err(problem) => left_out.push(format!("key {number} {problem}")),
        }
    }
    Ok(Read { keys, left_out, is_set })
}

fn read_key(value: Value) -> Result<TokenKey, String> {
    let is_secret = value.get("kty").is_some_and(|kind| kind == "oct");
    if !is_secret && value.get("d").is_some() {
        return Err("is a private key; use the public one".to_owned());
    }
    let jwk = serde_json::from_value(value).map_err(|_| "is no JWK".to_owned())?;
    key_of(&jwk)
}

/// The key for checking signatures.
pub(super) fn key_of(jwk: &Jwk) -> Result<TokenKey, String> {
    let common = &jwk.common;
    let is_for_signatures = match &common.public_key_use {
        Some(usage) => *usage == PublicKeyUse::Signature,
        None => true,
    };
    let operations = common.key_operations.as_ref();
    if !is_for_signatures || operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Err("is not for signatures".to_owned());
    }
    let mut algorithms = algorithms_of(&jwk.algorithm)?;
    if let Some(algorithm) = common.key_algorithm {
        let only: Option<Algorithm> = algorithm.to_string().parse().ok();
        algorithms.retain(|algorithm| Some(*algorithm) == only);
        if algorithms.is_empty() {
            return Err(format!("is not for its \"alg\", {algorithm}"));
        }
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|_| "has wrong base64".to_owned())?;
    Ok(TokenKey { id: common.key_id.clone(), algorithms, key })
}

fn algorithms_of(parameters: &AlgorithmParameters) -> Result<Vec<Algorithm>, String> {
    match parameters {
        AlgorithmParameters::RSA(key) => {
            let modulus = bytes(&key.n)?;
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            let top = modulus.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
            let bits = (modulus.len() - zeros) * 8 - top;
            if bits < RSA_BITS_MIN {
                return Err(format!("is an RSA key of {bits} bits; use one of {RSA_BITS_MIN}"));
            }
            Ok(RSA.to_vec())
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let (algorithm, length) = match key.curve {
                EllipticCurve::P256 => (Algorithm::ES256, 32),
                EllipticCurve::P384 => (Algorithm::ES384, 48),
                _ => return Err("is of another curve; use P-256 or P-384".to_owned()),
            };
            if bytes(&key.x)?.len() != length || bytes(&key.y)?.len() != length {
                return Err("is no point of its curve".to_owned());
            }
            Ok(vec![algorithm])
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            if key.curve != EllipticCurve::Ed25519 || bytes(&key.x)?.len() != 32 {
                return Err("is of another curve; use Ed25519".to_owned());
            }
            Ok(vec![Algorithm::EdDSA])
        }
        AlgorithmParameters::OctetKey(key) => {
            let algorithms = algorithms_of_secret(bytes(&key.value)?.len());
            if algorithms.is_empty() {
                return Err("is a secret of less than 32 bytes".to_owned());
            }
            Ok(algorithms)
        }
        _ => Err("is of another type; use RSA, EC, OKP or oct".to_owned()),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "has wrong base64".to_owned())
}
