//! The headers of a push that reach the gateway.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use shared::invocation::TRACEPARENT_HEADER;

/// The names. How the body is framed is not among them.
const PASSED_ON: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::CONTENT_ENCODING, HeaderName::from_static(TRACEPARENT_HEADER)];

/// The headers of one push that reach the gateway. Nothing else of its head is kept in memory.
#[derive(Debug)]
pub(crate) struct PushHeaders(HeaderMap);

impl PushHeaders {
    /// Those of the request with these `headers`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut kept = HeaderMap::new();
        for name in &PASSED_ON {
            for value in headers.get_all(name) {
                kept.append(name, copied(value));
            }
        }
        Self(kept)
    }

    /// `headers` and these.
    pub(super) fn beside(self, mut headers: HeaderMap) -> HeaderMap {
        headers.extend(self.0);
        headers
    }
}

/// A copy with bytes of its own: those of a request are a part of its whole head.
fn copied(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("it was one already")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_on_is_beside_what_the_runner_adds() {
        let name = |name: &'static str| HeaderName::from_static(name);
        let value = HeaderValue::from_static;
        let sent: HeaderMap = [
            (name("content-type"), value("a")),
            (name("traceparent"), value("b")),
            (name("traceparent"), value("c")),
            (name("authorization"), value("d")),
        ]
        .into_iter()
        .collect();
        let own: HeaderMap = [(name("authorization"), value("own"))].into_iter().collect();
        let all = PushHeaders::of(&sent).beside(own);
        assert_eq!(all.len(), 4);
        assert_eq!(all.get_all("authorization").iter().collect::<Vec<_>>(), ["own"]);
        assert_eq!(all.get_all("traceparent").iter().collect::<Vec<_>>(), ["b", "c"]);
    }
}
