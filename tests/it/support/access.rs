//! The tokens of the tests, and HTTP clients that present one.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use daemon::{
    credentials::{AccessSettings, AccessToken, TokenSource},
    settings::Secret,
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use reqwest::{Client, Response};

/// The token of the operator in all services that tests start.
pub(crate) const OPERATOR: &str = "the-operators-token-in-tests";
/// The token of services in this process.
pub(crate) const SERVICE: &str = "the-services-token-in-tests";

/// The access of a service in this process, which reads and makes no files.
pub(crate) fn given() -> AccessSettings {
    let given = |text: &str| TokenSource::Given(AccessToken::new(Secret::new(text)).unwrap());
    AccessSettings {
        service: given(SERVICE),
        operator: given(OPERATOR),
        service_users: Vec::new(),
        is_insecure: false,
    }
}

/// Files with the tokens of services and of the operator, for processes that tests start.
pub(crate) fn files() -> &'static [String; 2] {
    static FILES: LazyLock<[String; 2]> =
        LazyLock::new(|| [("service", SERVICE), ("operator", OPERATOR)].map(write));
    &FILES
}

fn write((name, token): (&str, &str)) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}.token"));
    // Tests run at once, in processes of their own.
    let drafts = tempfile::tempdir_in(&folder).unwrap();
    let draft = drafts.path().join(name);
    let mut text =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).unwrap();
    text.write_all(token.as_bytes()).unwrap();
    fs::rename(draft, &file).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Writes a file with a secret, which only its owner may read.
pub(crate) fn write_secret(file: &Path, text: &str) {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A client that presents the operator's token.
pub(crate) fn operator() -> Client {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::try_from(format!("Bearer {OPERATOR}")).unwrap();
    headers.insert(AUTHORIZATION, bearer);
    Client::builder().default_headers(headers).tls_certs_only([]).build().unwrap()
}

/// GETs `url` as the operator.
pub(crate) async fn get(url: impl reqwest::IntoUrl) -> reqwest::Result<Response> {
    operator().get(url).send().await
}
