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
    /// `take_over`: the epoch of another copy of the catalog, which gives the bucket up.
    pub take_over: Option<String>,
}

const KEY_VALUES: &str = "a string that is not empty";

impl BucketSettings {
    /// Takes the table. None if it has no `url`. Problems are noted.
    pub(super) fn read(section: &mut Section, base: &Path) -> Option<Self> {
        let [has_url, has_id] = ["url", "access_key_id"].map(|key| section.has(key));
        let url = section.read("url", &bucket_url());
        let endpoint = section.read("endpoint", &endpoint());
        let region = section.read("region", &text());
        let access_key_id = section.read("access_key_id", &text());
        let keys = ["secret_access_key", "secret_access_key_file"];
        let secret = section.read_secret_or_file(keys, base, KEY_VALUES, check_key);
        let is_virtual_hosted = section.read_or("virtual_hosted", &flag(), "false");
        let take_over = section.read("take_over", &text());
        if section.is_description() {
            return None;
        }
        let has_others = endpoint.is_some() || region.is_some() || has_id || take_over.is_some();
        if !has_url && (has_others || !matches!(secret, Given::No)) {
            section.problem("url", "is missing; use such as s3://bucket/prefix");
        }
        let (bucket, prefix) = url?;
        if !has_id {
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
            take_over,
        })
    }

    /// `url`, without what does not matter in it.
    pub(crate) fn url(&self) -> String {
        let Self { bucket, prefix, .. } = self;
        format!("s3://{bucket}/{prefix}").trim_end_matches('/').to_owned()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Settings;

    fn parse(table: &str) -> Result<Option<BucketSettings>, String> {
        let text = format!("[store.contents]\n{table}");
        let parsed = Settings::parse(Path::new("cos.toml"), &text, &BTreeMap::new());
        parsed.map(|settings| settings.store.contents).map_err(|error| error.to_string())
    }

    const SOUND: [&str; 3] =
        ["url = \"s3://b/p/q/\"", "access_key_id = \"id\"", "secret_access_key = \"hunter2\""];

    #[test]
    fn a_bucket_has_a_name_a_prefix_and_a_pair() {
        assert_eq!(parse("").unwrap(), None);
        let bucket = parse(&SOUND.join("\n")).unwrap().unwrap();
        assert_eq!((&*bucket.bucket, &*bucket.prefix), ("b", "p/q"));
        assert_eq!(bucket.url(), "s3://b/p/q");
        let whole = parse(&SOUND.join("\n").replace("/p/q/", "")).unwrap().unwrap();
        assert_eq!((&*whole.prefix, &*whole.url()), ("", "s3://b"));
        let shown = format!("{bucket:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn each_problem_is_said_once_and_shows_no_secret() {
        let [url, id, secret] = SOUND;
        for (table, key, words) in [
            ([id, secret, ""], "url", "is missing; use such as s3://bucket/prefix"),
            (["endpoint = \"http://a\"", "", ""], "url", "is missing"),
            (["take_over = \"a\"", "", ""], "url", "is missing"),
            (["url = \"http://b\"", id, secret], "url", "is not valid; use s3://"),
            (["url = \"s3://u:p@b\"", id, secret], "url", "is not valid"),
            (["url = \"s3://b?x=1\"", id, secret], "url", "is not valid"),
            ([url, secret, ""], "access_key_id", "is missing; use that of an account"),
            ([url, "access_key_id = 5", secret], "access_key_id", "is not valid"),
            ([url, id, ""], "secret_access_key", "is missing; set it, or secret_access_key_file"),
            ([url, id, "secret_access_key = \"\""], "secret_access_key", "is not a string with"),
            ([url, id, "secret_access_key_file = \"none\""], "secret_access_key_file", "none"),
        ] {
            let problem = parse(&table.join("\n")).unwrap_err();
            let said = format!("store.contents.{key}: ");
            assert_eq!(problem.matches(&said).count(), 1, "{problem}");
            assert_eq!(problem.matches("store.contents.").count(), 1, "{problem}");
            assert!(problem.contains(words), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        for (key, value) in
            [("endpoint", "\"ftp://a\""), ("region", "\"\""), ("virtual_hosted", "1")]
        {
            let problem = parse(&format!("{}\n{key} = {value}", SOUND.join("\n"))).unwrap_err();
            assert!(problem.contains(&format!("store.contents.{key}: ")), "{problem}");
        }
    }
}
