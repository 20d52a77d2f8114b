//! Fetches a key set once: within a deadline, up to a length, and without redirects.

use std::time::Duration;

use daemon::tls::OutboundTls;
use http::{HeaderMap, StatusCode, header};
use reqwest::{Client, redirect::Policy};
use tokio::time::timeout;
use url::Url;

use crate::token_keys::TokenKeys;

/// How long a fetch may take.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest set.
const BYTES_MAX: usize = 256 << 10;
/// How long keys are fresh: within these bounds as the answer says, or else this long.
const FRESH_MIN: Duration = Duration::from_secs(60);
const FRESH_MAX: Duration = Duration::from_hours(1);
const FRESH: Duration = Duration::from_mins(10);

/// Keys that were fetched.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) keys: TokenKeys,
    /// Why some keys of the set are of no use.
    pub(super) left_out: Vec<String>,
    /// How long the keys are used without another fetch.
    pub(super) fresh_for: Duration,
}

/// A client for `url`. One for `http` needs no root certificates.
pub(super) fn client(url: &Url, tls: Option<&OutboundTls>) -> Result<Client, reqwest::Error> {
    let builder = Client::builder().redirect(Policy::none()).no_proxy();
    let builder = match tls {
        _ if url.scheme() == "http" => builder.tls_certs_only([]),
        Some(tls) => builder.tls_backend_preconfigured(tls.configuration()),
        None => builder,
    };
    builder.build()
}

/// The URL as logs show it.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

pub(super) async fn fetch(client: &Client, url: &Url) -> Result<Fetched, String> {
    let timed_out = || format!("no whole answer within {} s", FETCH_TIMEOUT.as_secs());
    timeout(FETCH_TIMEOUT, answer(client, url)).await.map_err(|_| timed_out())?
}

async fn answer(client: &Client, url: &Url) -> Result<Fetched, String> {
    let request = client.get(url.clone()).header(header::ACCEPT, "application/json");
    // Without the URL, which may hold a secret.
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
    };
    let mut response = request.send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(format!("the answer is {}", response.status().as_u16()));
    }
    let fresh_for = fresh_for(response.headers());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > BYTES_MAX {
            return Err(format!("the answer is longer than {} KiB", BYTES_MAX >> 10));
        }
        body.extend_from_slice(&piece);
    }
    let (keys, left_out) =
        TokenKeys::of_set(&body).map_err(|problem| format!("the answer {problem}"))?;
    Ok(Fetched { keys, left_out, fresh_for })
}

/// `max-age` of `Cache-Control` without `Age` (RFC 9111), within bounds.
fn fresh_for(headers: &HeaderMap) -> Duration {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(control) = text(header::CACHE_CONTROL) else { return FRESH };
    let mut fresh = None;
    for directive in control.split(',').map(|directive| directive.trim().to_ascii_lowercase()) {
        if matches!(&*directive, "no-store" | "no-cache") {
            return FRESH_MIN;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            fresh = seconds.trim_matches('"').parse().ok();
        }
    }
    let age = text(header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let left = |fresh: u64| Duration::from_secs(fresh.saturating_sub(age));
    fresh.map_or(FRESH, left).clamp(FRESH_MIN, FRESH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fresh_as_long_as_the_answer_says_within_bounds() {
        for (control, age, expected) in [
            (None, None, FRESH),
            (Some("public"), None, FRESH),
            (Some("public, max-age=900, must-revalidate"), None, Duration::from_secs(900)),
            (Some("Max-Age=900"), Some("300"), Duration::from_secs(600)),
            (Some("max-age=900"), Some("1000"), FRESH_MIN),
            (Some("max-age=1"), None, FRESH_MIN),
            (Some("max-age=99999999999999999999"), None, FRESH),
            (Some("max-age=86400"), None, FRESH_MAX),
            (Some("no-cache, max-age=900"), None, FRESH_MIN),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(control.map(|value| (header::CACHE_CONTROL, value.parse().unwrap())));
            headers.extend(age.map(|value: &str| (header::AGE, value.parse().unwrap())));
            assert_eq!(fresh_for(&headers), expected, "{control:?} {age:?}");
        }
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let url = Url::parse("https://u:p@issuer.example:8443/jwks.json?key=secret").unwrap();
        assert_eq!(shown(&url), "https://issuer.example:8443/jwks.json");
    }
}
