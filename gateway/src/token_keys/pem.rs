//! Public keys in PEM: RSA, EC and Ed25519, or certificates of RSA keys. There may be several.

use jsonwebtoken::{DecodingKey, jwk::Jwk};

use super::{TokenKey, jwk};

pub(super) fn read(text: &str) -> Result<Vec<TokenKey>, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "is a private key; use the public one, and keep this one with the issuer".into()
        );
    }
    let blocks = text.split("-----BEGIN ").skip(1);
    blocks.map(|block| read_block(&format!("-----BEGIN {block}"))).collect()
}

fn read_block(block: &str) -> Result<TokenKey, String> {
    let readers = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let key = readers.into_iter().find_map(|read| read(block.as_bytes()).ok());
    let unknown = || "has a PEM block that is no public key of RSA, EC or Ed25519".to_owned();
    let key = key.ok_or_else(unknown)?;
    // Knows the curve and the length of the key.
    let as_jwk = Jwk::from_decoding_key(&key, None).map_err(|_| unknown())?;
    let TokenKey { id, algorithms, .. } = jwk::key_of(&as_jwk)?;
    Ok(TokenKey { id, algorithms, key })
}
