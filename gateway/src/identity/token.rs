//! Where a client has put its token: `Authorization: Bearer` (RFC 6750), a parameter of the query,
//! a cookie, or an offered subprotocol, which is all that a page in a browser can choose.
//!
//! The token is taken out of the request, so that it reaches no function, unless the settings say
//! that functions get it. It is never left in the subprotocols: these are announced and logged.

use std::borrow::Cow;

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
    let mut tokens: Vec<String> = bearer(headers)?.into_iter().collect();
    if let Some(name) = &settings.query {
        tokens.extend(in_query(uri, name));
    }
    if let Some(name) = &settings.cookie {
        tokens.extend(in_cookies(headers, name));
    }
    tokens.extend(in_subprotocols(headers, &settings.subprotocol));
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

/// The token in `Authorization` (RFC 6750, section 2.1). What another reader could take for one has
/// to be one: an error otherwise.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Reason> {
    const SCHEME: &str = "bearer";
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Reason::BadHeader)?;
    let Some(scheme) = text.get(..SCHEME.len()) else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Ok(None);
    }
    let token = text[SCHEME.len()..].strip_prefix(' ').map(|token| token.trim_matches(' '));
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let token = token.filter(|token| !token.is_empty() && token.bytes().all(is_of_token));
    token.map(|token| Some(token.to_owned())).ok_or(Reason::BadHeader)
}

fn in_query(uri: &Uri, name: &str) -> Vec<String> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

fn in_cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    let pairs = entries(headers, &header::COOKIE, b';');
    let cookies = pairs.filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    });
    cookies.collect()
}

fn in_subprotocols(headers: &HeaderMap, prefix: &str) -> Vec<String> {
    let names = entries(headers, &header::SEC_WEBSOCKET_PROTOCOL, b',');
    names.filter_map(|name| Some(of_subprotocol(name.strip_prefix(prefix)?))).collect()
}

/// The entries of a header that is a list, also those beside bytes that are not text: browsers send
/// cookies with any bytes, and a token beside them is one.
fn entries<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    separator: u8,
) -> impl Iterator<Item = Cow<'h, str>> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(move |line| split(line, separator)).map(String::from_utf8_lossy)
}

fn split(line: &HeaderValue, separator: u8) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(move |byte| *byte == separator).map(<[u8]>::trim_ascii)
}

/// A JWT, which a subprotocol can spell as it is, or its base64url, as clients of Kubernetes send
/// it. A JWT has dots, and base64url has none.
fn of_subprotocol(text: &str) -> String {
    let decoded = || String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    if text.contains('.') { text.to_owned() } else { decoded().unwrap_or_else(|| text.to_owned()) }
}

fn remove(settings: &TokenSettings, uri: &mut Uri, headers: &mut HeaderMap) {
    if bearer(headers).is_ok_and(|token| token.is_some()) {
        headers.remove(header::AUTHORIZATION);
    }
    if let Some(name) = &settings.query {
        remove_from_query(uri, name);
    }
    if let Some(name) = &settings.cookie {
        let is_other = |pair: &str| pair.split('=').next().is_none_or(|key| key.trim() != name);
        keep(headers, &header::COOKIE, b';', b"; ", is_other);
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
    keep(headers, &header::SEC_WEBSOCKET_PROTOCOL, b',', b", ", is_other);
}

/// Keeps those entries of a header that is a list; the header goes with its last entry.
fn keep(
    headers: &mut HeaderMap,
    name: &HeaderName,
    separator: u8,
    join: &[u8],
    is_kept: impl Fn(&str) -> bool,
) {
    if entries(headers, name, separator).all(|entry| is_kept(&entry)) {
        return;
    }
    let lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for line in &lines {
        let kept = split(line, separator).filter(|entry| is_kept(&String::from_utf8_lossy(entry)));
        let rest = kept.collect::<Vec<_>>().join(join);
        let rest = HeaderValue::from_bytes(&rest).expect("a part of a valid value is one");
        if !rest.is_empty() {
            headers.append(name, rest);
        }
    }
}

#[cfg(test)]
mod tests;
