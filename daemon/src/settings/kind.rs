//! The kinds of value that settings take: which values are valid, and the words for them.

mod unit;

use std::{
    fmt,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::Value;
use url::Url;

/// A kind of value: how it is read, and how messages and documents describe it.
pub struct Kind<T> {
    values: String,
    example: Option<String>,
    is_secret: bool,
    parse: Parse<T>,
}

type Parse<T> = Box<dyn Fn(&Value) -> Option<T>>;

impl<T> fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("values", &self.values).finish_non_exhaustive()
    }
}

impl<T> Kind<T> {
    /// A kind of value that `parse` reads. `values` completes the sentence "use …".
    pub fn new(values: impl Into<String>, parse: impl Fn(&Value) -> Option<T> + 'static) -> Self {
        Self { values: values.into(), example: None, is_secret: false, parse: Box::new(parse) }
    }

    /// The same kind. Its values may be secret, and messages do not show them.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// The same kind, with examples for messages.
    pub fn such_as(self, example: impl Into<String>) -> Self {
        Self { example: Some(example.into()), ..self }
    }

    /// A value of this kind that is not valid, as messages show it.
    pub(super) fn shown(&self, value: &Value) -> String {
        // A URL may hold a password or a token, and so may what was meant to be one.
        let is_url = |text: &str| text.contains("://") || text.contains('@');
        // TOML would write a text of several lines as such.
        let shown = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
        if self.is_secret || is_url(&shown) {
            return "the value".to_owned();
        }
        shown
    }

    /// The values of this kind, in words.
    pub(super) fn values(&self) -> &str {
        &self.values
    }

    /// The values of this kind, with examples. Completes the sentence "use …".
    pub(super) fn expected(&self) -> String {
        match &self.example {
            Some(example) => format!("{}, such as {example}", self.values),
            None => self.values.clone(),
        }
    }

    pub(super) fn parse(&self, value: &Value) -> Option<T> {
        (self.parse)(value)
    }

    /// Reads what a variable holds. That is always text, and may spell a number or a flag.
    pub(super) fn parse_text(&self, text: &str) -> Option<T> {
        self.parse(&Value::String(text.to_owned())).or_else(|| self.parse(&text.parse().ok()?))
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
pub fn count<T>(range: RangeInclusive<T>) -> Kind<T>
where
    T: TryFrom<i64> + PartialOrd + fmt::Display + 'static,
{
    let values = format!("a whole number from {} to {}", range.start(), range.end());
    Kind::new(values, move |value| {
        value.as_integer().and_then(|n| T::try_from(n).ok()).filter(|n| range.contains(n))
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
    let values = format!("a duration from {start} to {end}");
    let kind = Kind::new(values, move |value| {
        humantime::parse_duration(value.as_str()?).ok().filter(|duration| range.contains(duration))
    });
    kind.such_as(examples)
}

/// A number of bytes such as `65536` or `"64KiB"`, within `range`.
pub fn bytes(range: RangeInclusive<usize>) -> Kind<usize> {
    let [start, end] = [*range.start(), *range.end()].map(unit::format);
    let kind = Kind::new(format!("a number of bytes from {start} to {end}"), move |value| {
        let bytes = match value {
            Value::Integer(number) => usize::try_from(*number).ok(),
            Value::String(text) => unit::parse(text),
            _ => None,
        };
        bytes.filter(|bytes| range.contains(bytes))
    });
    kind.such_as("65536 or \"64KiB\"")
}

/// An address to listen on, such as `"127.0.0.1:9000"`; port 0 lets the system choose.
pub fn address() -> Kind<SocketAddr> {
    let kind = Kind::new("an IP address and a port", |value| value.as_str()?.parse().ok());
    kind.such_as("\"127.0.0.1:9000\"")
}

/// An `http://` or `https://` URL.
pub fn url() -> Kind<Url> {
    Kind::new("an http:// or https:// URL", |value| http_url(value.as_str()?))
}

/// `text` as an `http://` or `https://` URL.
pub fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// A path; a relative one starts at `base`.
pub fn path(base: &Path) -> Kind<PathBuf> {
    let base = base.to_owned();
    Kind::new("a path", move |value| {
        value.as_str().filter(|text| !text.is_empty()).map(|text| base.join(text))
    })
}

/// A path, or a list of paths; a relative one starts at `base`.
pub fn paths(base: &Path) -> Kind<Vec<PathBuf>> {
    let one = path(base);
    Kind::new("a path, or a list of paths", move |value| match value {
        Value::Array(values) => values.iter().map(|value| one.parse(value)).collect(),
        // A variable holds text, which may spell a list.
        Value::String(text) if text.starts_with('[') => None,
        value => Some(vec![one.parse(value)?]),
    })
}

/// One of a few words. For an enum the words come from its list of variants, which the compiler
/// keeps, and from a `match`.
pub fn one_of<T: Copy + 'static>(words: impl IntoIterator<Item = (&'static str, T)>) -> Kind<T> {
    let words: Vec<_> = words.into_iter().collect();
    let list: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    Kind::new(list.join(" or "), move |value| {
        let text = value.as_str()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning)
    })
}

#[cfg(test)]
mod tests;
