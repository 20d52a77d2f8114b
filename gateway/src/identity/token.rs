//! Where a client has put its token: `Authorization: Bearer` (RFC 6750), a parameter of the query,
//! a cookie, or an offered subprotocol, which is all that a page in a browser can choose.
//!
//! The token is taken out of the request, so that it reaches no function, unless the settings say
//! that functions get it. It is never left in the subprotocols: these are announced and logged.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};
use url::form_urlencoded;

use super::unidentified::Reason;
use crate::settings::TokenSettings;

/// The longest token. All that a client sends before it is known is bounded.
pub(super) const TOKEN_BYTES_MAX: usize = 8 << 10;

/// Takes the token out of a request.
pub(super) fn take(
    settings: &TokenSettings,
    uri: &mut Uri,
    headers: &mut HeaderMap,
) -> Result<String, Reason> {
    if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
        return Err(Reason::TwoTokens);
    }
    let mut tokens: Vec<String> = bearer(headers).into_iter().collect();
    if let Some(name) = &settings.query {
        tokens.extend(in_query(uri, name));
    }
    if let Some(name) = &settings.cookie {
        tokens.extend(in_cookies(headers, name));
    }
    let offered: Vec<_> = subprotocols(headers)
        .filter_map(|name| name.strip_prefix(settings.subprotocol.as_str()))
        .map(of_subprotocol)
        .collect();
    tokens.extend(offered);
    // A second token might be meant for another reader of the request than the first one.
    if tokens.len() > 1 {
        return Err(Reason::TwoTokens);
    }
    let token = tokens.pop().ok_or(Reason::NoToken)?;
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Reason::BadToken("the token is longer than 8 KiB"));
    }
    remove_from_subprotocols(headers, &settings.subprotocol);
    if !settings.pass_token {
        remove(settings, uri, headers);
    }
    Ok(token)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn in_query(uri: &Uri, name: &str) -> Vec<String> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

fn in_cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let found = cookies.filter(|(key, _)| key.trim() == name);
    found.map(|(_, value)| value.trim().trim_matches('"').to_owned()).collect()
}

fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty())
}

/// A JWT, which a subprotocol can spell as it is, or its base64url, as clients of Kubernetes send
/// it. A JWT has dots, and base64url has none.
fn of_subprotocol(text: &str) -> String {
    let decoded = || String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    if text.contains('.') { text.to_owned() } else { decoded().unwrap_or_else(|| text.to_owned()) }
}

fn remove(settings: &TokenSettings, uri: &mut Uri, headers: &mut HeaderMap) {
    if bearer(headers).is_some() {
        headers.remove(header::AUTHORIZATION);
    }
    if let Some(name) = &settings.query {
        remove_from_query(uri, name);
    }
    if let Some(name) = &settings.cookie {
        let is_other = |pair: &str| pair.split('=').next().is_none_or(|key| key.trim() != name);
        keep(headers, &header::COOKIE, ';', "; ", is_other);
    }
}

fn remove_from_query(uri: &mut Uri, name: &str) {
    let Some(query) = uri.query() else { return };
    let is_other = |pair: &&str| {
        form_urlencoded::parse(pair.as_bytes()).next().is_none_or(|(key, _)| key != name)
    };
    let rest: Vec<_> = query.split('&').filter(is_other).collect();
    let mut text = uri.path().to_owned();
    if !rest.is_empty() {
        text = format!("{text}?{}", rest.join("&"));
    }
    let mut parts = uri.clone().into_parts();
    let path = PathAndQuery::try_from(text).expect("a part of a valid path and query is one");
    parts.path_and_query = Some(path);
    *uri = Uri::from_parts(parts).expect("only the query has changed");
}

fn remove_from_subprotocols(headers: &mut HeaderMap, prefix: &str) {
    let is_other = |name: &str| !name.starts_with(prefix);
    keep(headers, &header::SEC_WEBSOCKET_PROTOCOL, ',', ", ", is_other);
}

/// Keeps those entries of a header that is a list; the header goes with its last entry.
fn keep(
    headers: &mut HeaderMap,
    name: &HeaderName,
    separator: char,
    join: &str,
    is_kept: impl Fn(&str) -> bool,
) {
    let lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    let is_text = |line: &HeaderValue| line.to_str().is_ok();
    let entries = |line: &HeaderValue| -> Vec<String> {
        let text = line.to_str().unwrap_or_default();
        text.split(separator).map(|entry| entry.trim().to_owned()).collect()
    };
    if lines.iter().flat_map(entries).all(|entry| is_kept(&entry)) {
        return;
    }
    headers.remove(name);
    for line in lines {
        let rest: Vec<_> = entries(&line).into_iter().filter(|entry| is_kept(entry)).collect();
        let kept =
            if is_text(&line) { HeaderValue::try_from(rest.join(join)).ok() } else { Some(line) };
        headers.extend(kept.filter(|line| !line.is_empty()).map(|line| (name.clone(), line)));
    }
}
