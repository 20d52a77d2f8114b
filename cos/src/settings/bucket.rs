//! `[store.contents]`: a bucket of another object store with the S3 protocol.
//!
//! Problems name the key and never show a secret.

use std::path::Path;

use daemon::settings::{Given, Kind, Secret, Section, flag, http_url, text};
use url::Url;

/// A bucket for the contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// The name in `url`.
    pub bucket: String,
    /// The path in `url`, without slashes at its ends. Empty: the whole bucket.
    pub prefix: String,
    /// `endpoint`: where the service is, if it is not that of AWS.
    pub endpoint: Option<Url>,
    /// `region`
    pub region: Option<String>,
    /// `access_key_id`
    pub access_key_id: String,
    /// `secret_access_key`
    pub secret_access_key: Secret,
    /// `virtual_hosted`: the endpoint is the address of the bucket itself, as with COS.
    pub is_virtual_hosted: bool,
}

const KEY_VALUES: &str = "a string that is not empty";

impl BucketSettings {
    /// Takes the table. None if it has no `url`. Problems are noted.
    pub(super) fn read(section: &mut Section, base: &Path) -> Option<Self> {
        let url = section.read("url", &bucket_url());
        let endpoint = section.read("endpoint", &endpoint());
        let region = section.read("region", &text());
        let access_key_id = section.read("access_key_id", &text());
        let keys = ["secret_access_key", "secret_access_key_file"];
        let secret = section.read_secret_or_file(keys, base, KEY_VALUES, check_key);
        let is_virtual_hosted = section.read_or("virtual_hosted", &flag(), "false");
        if section.is_description() {
            return None;
        }
        let has_others = endpoint.is_some() || region.is_some() || access_key_id.is_some();
        if url.is_none() && (has_others || !matches!(secret, Given::No)) {
            section.problem("url", "is missing; use such as s3://bucket/prefix");
        }
        let (bucket, prefix) = url?;
        if access_key_id.is_none() {
            section.problem("access_key_id", "is missing; use that of an account with the bucket");
        }
        if matches!(secret, Given::No) {
            section.problem("secret_access_key", "is missing; set it, or secret_access_key_file");
        }
        let Given::Sound(secret_access_key) = secret else { return None };
        let access_key_id = access_key_id?;
        Some(Self {
            bucket,
            prefix,
            endpoint,
            region,
            access_key_id,
            secret_access_key,
            is_virtual_hosted,
        })
    }
}

/// The bucket and the prefix.
fn bucket_url() -> Kind<(String, String)> {
    let kind = Kind::new("s3:// with a bucket, and perhaps a prefix", |value| {
        let url = Url::parse(value.as_str()?).ok().filter(|url| url.scheme() == "s3")?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let bucket = url.host_str().filter(|_| is_plain)?.to_owned();
        Some((bucket, url.path().trim_matches('/').to_owned()))
    });
    kind.such_as("\"s3://bucket/prefix\"")
}

fn endpoint() -> Kind<Url> {
    let kind = Kind::new("an http:// or https:// URL", |value| http_url(value.as_str()?));
    kind.such_as("\"https://s3.example.com\"")
}

fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() { Err(format!("is empty; use {KEY_VALUES}")) } else { Ok(()) }
}
