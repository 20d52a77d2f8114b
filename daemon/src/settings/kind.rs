//! The kinds of value that settings take: what they accept, and the words that ask for it.

use std::{
    fmt,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::Value;
use url::Url;

/// A kind of value: how it is read, and how to ask for it in a message.
pub struct Kind<T> {
    pub(super) expected: String,
    pub(super) parse: Parse<T>,
}

type Parse<T> = Box<dyn Fn(&Value) -> Option<T>>;

impl<T> fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl<T> Kind<T> {
    /// A kind of one's own. `expected` completes the sentence "use …".
    pub fn new(expected: impl Into<String>, parse: impl Fn(&Value) -> Option<T> + 'static) -> Self {
        Self { expected: expected.into(), parse: Box::new(parse) }
    }
}

/// Any string but the empty one.
pub fn text() -> Kind<String> {
    Kind::new("a string that is not empty", |value| {
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    })
}

/// `true` or `false`.
pub fn flag() -> Kind<bool> {
    Kind::new("true or false", Value::as_bool)
}

/// A whole number within `range`.
pub fn count(range: RangeInclusive<u64>) -> Kind<u64> {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Kind::new(expected, move |value| {
        value.as_integer().and_then(|n| u64::try_from(n).ok()).filter(|n| range.contains(n))
    })
}

/// A duration such as `"15s"` within `range`.
pub fn duration(range: RangeInclusive<Duration>) -> Kind<Duration> {
    let [start, end] = [*range.start(), *range.end()].map(humantime::format_duration);
    let seconds = [15, 600].map(Duration::from_secs).into_iter();
    let examples: Vec<_> = seconds
        .filter(|example| range.contains(example))
        .map(|example| format!("\"{}\"", humantime::format_duration(example)))
        .collect();
    let examples = if examples.is_empty() { format!("\"{end}\"") } else { examples.join(" or ") };
    let expected = format!("a duration from {start} to {end}, such as {examples}");
    Kind::new(expected, move |value| {
        humantime::parse_duration(value.as_str()?).ok().filter(|duration| range.contains(duration))
    })
}

/// A number of bytes such as `65536` or `"64KiB"`, within `range`.
pub fn bytes(range: RangeInclusive<usize>) -> Kind<usize> {
    let expected = format!(
        "a number of bytes from {} to {}, such as 65536 or \"64KiB\"",
        range.start(),
        range.end()
    );
    Kind::new(expected, move |value| {
        let bytes = match value {
            Value::Integer(number) => usize::try_from(*number).ok(),
            Value::String(text) => parse_bytes(text),
            _ => None,
        };
        bytes.filter(|bytes| range.contains(bytes))
    })
}

/// An address to listen on, such as `"127.0.0.1:9000"`; port 0 lets the system choose.
pub fn address() -> Kind<SocketAddr> {
    Kind::new("an IP address and a port, such as \"127.0.0.1:9000\"", |value| {
        value.as_str()?.parse().ok()
    })
}

/// An `http://` or `https://` URL.
pub fn url() -> Kind<Url> {
    Kind::new("an http:// or https:// URL", |value| {
        let url = Url::parse(value.as_str()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    })
}

/// A path; a relative one starts at `base`.
pub fn path(base: &Path) -> Kind<PathBuf> {
    let base = base.to_owned();
    Kind::new("a path", move |value| {
        value.as_str().filter(|text| !text.is_empty()).map(|text| base.join(text))
    })
}

/// One of a few words.
pub fn one_of<T: Copy + 'static>(words: &'static [(&'static str, T)]) -> Kind<T> {
    let list: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    Kind::new(list.join(" or "), move |value| {
        let text = value.as_str()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning)
    })
}

fn parse_bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests;
