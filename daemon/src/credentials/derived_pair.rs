//! A secret pair that follows from a token.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::AccessToken;
use crate::settings::Secret;

/// How the id begins.
const PREFIX: &str = "AKIDlonghold";
/// What is signed for the id and for the key. Another text gives another pair.
const PURPOSES: [&str; 2] = ["longhold role id", "longhold role key"];

/// An id and a key that all who have the same token have, without telling each other. The token
/// does not follow from them: each is the HMAC-SHA256 (RFC 2104) of a fixed text with the token as
/// the key.
#[derive(Debug, Clone)]
pub struct DerivedPair {
    /// `AKIDlonghold` and 20 hexadecimal digits.
    pub id: String,
    /// 64 hexadecimal digits.
    pub key: Secret,
}

impl DerivedPair {
    /// The pair that follows from `token`.
    pub fn of(token: &AccessToken) -> Self {
        let [id, key] = PURPOSES.map(|purpose| mac(token, purpose));
        Self { id: format!("{PREFIX}{}", &id[..20]), key: Secret::new(key) }
    }
}

/// In hexadecimal digits.
fn mac(token: &AccessToken, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.reveal().as_bytes())
        .expect("a key of HMAC may have any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_token_has_the_same_pair_and_another_one_another() {
        let of = |text: &str| DerivedPair::of(&AccessToken::new(Secret::new(text)).unwrap());
        let [one, again] = ["a-token-of-16-characters"; 2].map(of);
        let other = of("b-token-of-16-characters");
        assert_eq!((&one.id, one.key.reveal()), (&again.id, again.key.reveal()));
        assert_ne!(one.id, other.id);
        assert_ne!(one.key.reveal(), other.key.reveal());
        // printf %s 'longhold role key' | openssl dgst -sha256 -hmac a-token-of-16-characters
        assert_eq!(
            one.key.reveal(),
            "318c3674062e3e2c35a9c71155e066f1ed573ec0aa8a86de2d847f8773271380"
        );
    }
}
