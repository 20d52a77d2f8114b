//! The beginning of the body of a push, which says what connection the push is for. For the log
//! only: the body is passed on unread.

use std::sync::{Arc, Mutex, PoisonError};

/// How much of a body is looked at. The id of the connection usually comes before the data.
const BYTES_MAX: usize = 1 << 10;
/// Longer ids are not those of the gateway.
const ID_BYTES_MAX: usize = 64;
const KEY: &[u8] = b"\"secConnectionID\"";

/// The beginning of one body. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begin(Arc<Mutex<Vec<u8>>>);

impl Begin {
    /// The next bytes of the body.
    pub(super) fn add(&self, bytes: &[u8]) {
        let mut begin = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = BYTES_MAX.saturating_sub(begin.len());
        begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The id of the one connection that the push is for, if the beginning has it.
    pub(super) fn connection(&self) -> Option<String> {
        connection_in(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// No text in the JSON can be taken for the key: quotation marks in it have backslashes.
fn connection_in(begin: &[u8]) -> Option<String> {
    let at = begin.windows(KEY.len()).position(|bytes| bytes == KEY)?;
    let rest = begin[at + KEY.len()..].trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let id = &rest[..rest.iter().position(|&byte| byte == b'"')?];
    is_plain(id).then(|| String::from_utf8_lossy(id).into_owned())
}

/// Whether `id` can be shown in a log as it is.
pub(super) fn is_plain(id: &[u8]) -> bool {
    let is_sound = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.iter().all(is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&str], expected: Option<&str>) {
        let begin = Begin::default();
        for part in parts {
            begin.add(part.as_bytes());
        }
        assert_eq!(begin.connection().as_deref(), expected, "{parts:?}");
    }

    #[test]
    fn the_connection_is_that_of_the_key_in_the_first_bytes() {
        check(&[r#"{"websocket":{"secConnectionID":"a+/b==","data":""}}"#], Some("a+/b=="));
        check(&[r#"{"websocket": {"secConnection"#, r#"ID" : "ab""#, "}"], Some("ab"));
        check(&[r#"{"data":"\"secConnectionID\":\"no\"","secConnectionID":"ab"}"#], Some("ab"));
        let long = "x".repeat(BYTES_MAX);
        check(&[&long, r#""secConnectionID":"ab""#], None);
        check(&[r#"{"secConnectionIDs":["a","b"]}"#], None);
        for broken in ["", "\u{1f}\u{8b}", r#""secConnectionID""#, r#""secConnectionID":"a"#] {
            check(&[broken], None);
        }
    }

    #[test]
    fn what_could_be_taken_for_another_line_is_no_id() {
        for id in ["", "a b", "a\nb", "a\\u000ab", "\u{4f60}", &"x".repeat(ID_BYTES_MAX + 1)] {
            check(&[&format!(r#"{{"secConnectionID":"{id}"}}"#)], None);
        }
    }
}
