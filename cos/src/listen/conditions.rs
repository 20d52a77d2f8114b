//! Conditions on the state of an object (RFC 9110, section 13). Pure.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::refusal::{Code, Refusal};

/// What conditions say about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They hold.
    Met,
    /// The client has the object as it is.
    NotModified,
    /// Another one does not hold.
    Failed,
}

impl Verdict {
    /// Compares the object with the conditions in `headers`, whose names begin with `prefix`.
    pub(super) fn of(headers: &HeaderMap, prefix: &str, etag: &str, modified: SystemTime) -> Self {
        let get = |name: &str| {
            let value = headers.get(format!("{prefix}{name}"))?.to_str().ok()?;
            Some(value).filter(|value| !value.is_empty())
        };
        let names = |list: &str| {
            list.split(',').any(|one| {
                let one = one.trim();
                let bare = one.strip_prefix("W/").unwrap_or(one).trim_matches('"');
                one == "*" || bare == etag
            })
        };
        let date = |name| httpdate::parse_http_date(get(name)?).ok();
        let modified = whole_seconds(modified);
        let matches = get("if-match").map(names);
        if matches == Some(false) {
            return Self::Failed;
        }
        let is_later = date("if-unmodified-since").is_some_and(|date| modified > date);
        if matches.is_none() && is_later {
            return Self::Failed;
        }
        match get("if-none-match").map(names) {
            Some(true) => Self::NotModified,
            Some(false) => Self::Met,
            None if date("if-modified-since").is_some_and(|date| modified <= date) => {
                Self::NotModified
            }
            None => Self::Met,
        }
    }
}

/// Dates in headers have no fractions of seconds.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

pub(super) fn failed() -> Refusal {
    let message = "At least one of the preconditions you specified did not hold.";
    Refusal::new(Code::PreconditionFailed, message)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// The object has the `ETag` `e`, and was modified at this time and 700 ms.
    const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";

    #[test]
    fn conditions_are_compared_in_the_order_of_the_rfc() {
        for (conditions, expected) in [
            (&[][..], Verdict::Met),
            (&[("if-match", "\"e\"")], Verdict::Met),
            (&[("if-match", "\"a\", \"e\"")], Verdict::Met),
            (&[("if-match", "*")], Verdict::Met),
            (&[("if-match", "\"a\"")], Verdict::Failed),
            (&[("if-none-match", "\"e\"")], Verdict::NotModified),
            (&[("if-none-match", "e")], Verdict::NotModified),
            (&[("if-none-match", "\"a\"")], Verdict::Met),
            (&[("if-modified-since", MODIFIED)], Verdict::NotModified),
            (&[("if-modified-since", BEFORE)], Verdict::Met),
            (&[("if-unmodified-since", MODIFIED)], Verdict::Met),
            (&[("if-unmodified-since", BEFORE)], Verdict::Failed),
            (&[("if-match", "e"), ("if-unmodified-since", BEFORE)], Verdict::Met),
            (&[("if-none-match", "a"), ("if-modified-since", MODIFIED)], Verdict::Met),
            (&[("if-modified-since", "yesterday")], Verdict::Met),
        ] {
            let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_700);
            for prefix in ["", "x-cos-copy-source-"] {
                let header = |(name, value): &(&str, &'static str)| {
                    let name: HeaderName = format!("{prefix}{name}").parse().unwrap();
                    (name, HeaderValue::from_static(value))
                };
                let headers = conditions.iter().map(header).collect();
                let found = Verdict::of(&headers, prefix, "e", modified);
                assert_eq!(found, expected, "{conditions:?}");
            }
        }
    }
}
