//! Which texts are keys, and for which algorithms.

use jsonwebtoken::Algorithm::{self, ES256, ES384, EdDSA, HS256, HS384, HS512, RS256};
use serde_json::{Value, json};

use super::*;

const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// The same key as its file in PEM has it.
const ED_SPKI: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn algorithms(keys: &TokenKeys) -> Vec<Vec<Algorithm>> {
    keys.keys.iter().map(|key| key.algorithms.clone()).collect()
}

fn ed(id: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": ED_X })
}

fn bytes(length: usize) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(vec![0xff; length])
}

#[test]
fn a_secret_is_for_the_algorithms_whose_hash_is_not_longer() {
    for (length, expected) in
        [(32, vec![HS256]), (48, vec![HS256, HS384]), (64, vec![HS256, HS384, HS512])]
    {
        assert_eq!(algorithms(&TokenKeys::of_secret(&"x".repeat(length)).unwrap()), [expected]);
    }
    let short = TokenKeys::of_secret(&"x".repeat(31)).unwrap_err();
    assert!(short.contains("is shorter than 32 bytes"), "{short}");
}

/// Everybody may know such a key, and could sign with it.
#[test]
fn a_public_key_is_no_secret() {
    for (text, kind) in [
        ("-----BEGIN PUBLIC KEY-----\n".to_owned(), "a key in PEM"),
        (format!(" {}\n", ed("one")), "a JWK or a set of JWKs"),
        (json!({ "keys": [] }).to_string(), "a JWK or a set of JWKs"),
        (json!({ "kty": "oct", "k": bytes(32) }).to_string(), "a JWK or a set of JWKs"),
        (format!("ssh-ed25519 {}", "A".repeat(68)), "a public key of SSH"),
        (format!("ecdsa-sha2-nistp256 {}", "A".repeat(68)), "a public key of SSH"),
        (ED_SPKI.to_owned(), "a public key in base64"),
    ] {
        let problem = TokenKeys::of_secret(&text).unwrap_err();
        assert_eq!(problem, format!("is {kind} and not a secret; use key or key_file"));
    }
    let json = json!({ "a": "x".repeat(32) }).to_string();
    for text in [&*json, &bytes(32), "ssh begins this text of more than 32 bytes"] {
        assert!(TokenKeys::of_secret(text).is_ok(), "{text}");
    }
}

#[test]
fn a_text_in_pem_may_have_several_keys() {
    let block = format!("-----BEGIN PUBLIC KEY-----\n{ED_SPKI}\n-----END PUBLIC KEY-----\n");
    let keys = TokenKeys::of_text(&format!("{block}# the next one\n{block}")).unwrap();
    assert_eq!(algorithms(&keys), [vec![EdDSA], vec![EdDSA]]);
    assert_eq!(keys.for_token(&Header::new(EdDSA)).unwrap().len(), 2);
    let broken = block.replace("MCow", "MCox");
    assert!(TokenKeys::of_text(&format!("{block}{broken}")).unwrap_err().contains("no public key"));
}

/// An issuer that has revoked its keys publishes none.
#[test]
fn a_published_set_may_have_no_key() {
    let of_enc = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "enc", "x": ED_X }] });
    for (set, left_out) in [(json!({ "keys": [] }), 0), (of_enc, 1)] {
        let (keys, problems) = TokenKeys::of_set(set.to_string().as_bytes()).unwrap();
        assert_eq!((keys.len(), problems.len()), (0, left_out), "{set}");
        assert_eq!(keys.for_token(&Header::new(EdDSA)).unwrap_err(), NoKey::Unknown);
    }
    for text in ["{}", "[]", "{\"keys\":7}", "{\"error\":\"away\"}", "hello", ""] {
        assert!(TokenKeys::of_set(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn the_type_and_alg_of_a_jwk_say_which_algorithms_it_is_for() {
    let rsa = json!({ "kty": "RSA", "n": bytes(256), "e": "AQAB", "alg": "RS256" });
    let small = json!({ "kty": "EC", "crv": "P-256", "x": bytes(32), "y": bytes(32) });
    let large =
        json!({ "kty": "EC", "crv": "P-384", "x": bytes(48), "y": bytes(48), "use": "sig" });
    let secret = json!({ "kty": "oct", "k": bytes(32), "key_ops": ["verify"] });
    let set = json!({ "keys": [rsa, small, large, ed("e"), secret] }).to_string();
    let keys = TokenKeys::of_text(&set).unwrap();
    let expected = [vec![RS256], vec![ES256], vec![ES384], vec![EdDSA], vec![HS256]];
    assert_eq!(algorithms(&keys), expected);
    assert_eq!(algorithms(&TokenKeys::of_text(&ed("e").to_string()).unwrap()), [vec![EdDSA]]);
    // Everybody can read a set at a URL.
    let (keys, left_out) = TokenKeys::of_set(set.as_bytes()).unwrap();
    assert_eq!(algorithms(&keys), expected[..4]);
    assert_eq!(left_out.len(), 1);
}

#[test]
fn what_is_no_key_for_signatures_is_named() {
    let key = |changes: Value| {
        let mut key = ed("e");
        key.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        key.to_string()
    };
    for (text, words) in [
        ("hunter2".to_owned(), "is neither PEM nor JSON"),
        ("{}".to_owned(), "of another type"),
        (json!({ "keys": [] }).to_string(), "the set is empty"),
        (json!({ "keys": vec![ed("e"); 101] }).to_string(), "has more than 100 keys"),
        (key(json!({ "use": "enc" })), "is not for signatures"),
        (key(json!({ "key_ops": ["sign"] })), "is not for signatures"),
        (key(json!({ "alg": "RS256" })), "is not for its \"alg\", RS256"),
        (key(json!({ "d": ED_X })), "is a private key"),
        (key(json!({ "x": "AAAA" })), "use Ed25519"),
        (key(json!({ "x": "!" })), "has wrong base64"),
        (
            json!({ "kty": "RSA", "n": bytes(128), "e": "AQAB" }).to_string(),
            "is an RSA key of 1024 bits",
        ),
        (
            json!({ "kty": "EC", "crv": "P-521", "x": "", "y": "" }).to_string(),
            "use P-256 or P-384",
        ),
        (
            json!({ "kty": "EC", "crv": "P-384", "x": bytes(32), "y": bytes(32) }).to_string(),
            "is no point of its curve",
        ),
        (json!({ "kty": "oct", "k": bytes(31) }).to_string(), "is a secret of less than 32 bytes"),
        ("-----BEGIN PRIVATE KEY-----\n".to_owned(), "is a private key"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(),
            "no public key",
        ),
    ] {
        let problem = TokenKeys::of_text(&text).unwrap_err();
        assert!(problem.contains(words), "{text}: {problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn a_token_gets_the_key_that_it_names_or_those_without_a_name() {
    let header = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..Header::new(EdDSA) };
    let of = |set: Value| TokenKeys::of_text(&json!({ "keys": set }).to_string()).unwrap();
    let mut bare = ed("");
    bare.as_object_mut().unwrap().remove("kid");
    let two = of(json!([ed("one"), ed("two")]));
    assert_eq!(two.for_token(&header(Some("one"))).unwrap().len(), 1);
    assert_eq!(two.for_token(&header(Some("three"))).unwrap_err(), NoKey::Unknown);
    assert_eq!(two.for_token(&header(None)).unwrap().len(), 2);
    let other = of(json!([ed("one"), bare]));
    assert_eq!(other.for_token(&header(Some("three"))).unwrap()[0].id, None);
    let secret = Header { kid: Some("one".to_owned()), ..Header::new(HS256) };
    assert_eq!(two.for_token(&secret).unwrap_err(), NoKey::Algorithm);
    let many = of((0..9).map(|number| ed(&number.to_string())).collect());
    assert_eq!(many.for_token(&header(None)).unwrap_err(), NoKey::Unnamed);
}
