//! The answer to a push to many that is too long to be kept: it names each connection that did not
//! get the push. It is passed back as it comes, and read on the way for these connections.

use daemon::http::Body;
use http::StatusCode;
use http_body_util::BodyExt;
use serde::Deserialize;

use super::failures::PushFailure;

/// Longer texts are left out: ids of connections and the words of the gateway are shorter.
const TEXT_BYTES_MAX: usize = 256;
/// More of an entry is not kept, and such an entry is not read.
const ENTRY_BYTES_MAX: usize = 4 << 10;

/// Passes `answer` back. `failed` is called for each connection that did not get the push.
pub(super) fn reading(answer: Body, mut failed: impl FnMut(&PushFailure) + Send + 'static) -> Body {
    let mut entries = Entries::default();
    let inspected = answer.inspect_frame(move |frame| {
        let bytes = frame.data_ref().map(AsRef::as_ref).unwrap_or_default();
        let found = bytes.iter().filter_map(|byte| entries.add(*byte));
        found.for_each(|failure| failed(&failure));
    });
    inspected.boxed_unsync()
}

/// An entry of `failed`. A text that was too long is empty.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "secConnectionID")]
    connection_id: String,
    #[serde(rename = "errNo")]
    err_no: u16,
}

/// Reads the objects within the object of an answer, and keeps one of them at a time.
#[derive(Default)]
struct Entries {
    /// How many objects the last byte is in.
    depth: usize,
    /// What is kept of the entry.
    entry: Vec<u8>,
    /// Where in it the text begins that the last byte is in.
    text: Option<usize>,
    is_escaped: bool,
}

impl Entries {
    /// The failure whose entry ends with this byte.
    fn add(&mut self, byte: u8) -> Option<PushFailure> {
        match (self.text, byte) {
            (Some(_), _) if self.is_escaped => self.is_escaped = false,
            (Some(_), b'\\') => self.is_escaped = true,
            (Some(begin), b'"') => {
                // Cut in a character or an escape, the text could not be read.
                if self.entry.len() - begin > TEXT_BYTES_MAX {
                    self.entry.truncate(begin);
                }
                self.text = None;
            }
            (Some(_), _) => {}
            (None, b'"') => {
                self.keep(byte);
                self.text = Some(self.entry.len());
                return None;
            }
            (None, b'{') => self.depth += 1,
            (None, b'}') => {
                self.keep(byte);
                self.depth = self.depth.saturating_sub(1);
                return if self.depth == 1 { self.end() } else { None };
            }
            (None, _) => {}
        }
        self.keep(byte);
        None
    }

    fn keep(&mut self, byte: u8) {
        let is_long = self.text.is_some_and(|begin| self.entry.len() - begin > TEXT_BYTES_MAX);
        if self.depth > 1 && !is_long && self.entry.len() < ENTRY_BYTES_MAX {
            self.entry.push(byte);
        }
    }

    fn end(&mut self) -> Option<PushFailure> {
        let read = serde_json::from_slice::<Entry>(&self.entry).ok();
        self.entry.clear();
        let Entry { connection_id, err_no } = read?;
        let failure = PushFailure::of_gateway(StatusCode::OK, Some(err_no));
        Some(failure.for_connection(connection_id))
    }
}

#[cfg(test)]
mod tests {
    use shared::push::{FailedPush, PushAnswer};

    use super::Entries;

    /// The number and the connection of each failure in `answer`.
    fn failures_in(answer: &str) -> Vec<(Option<u16>, Option<String>)> {
        let mut entries = Entries::default();
        let found = answer.bytes().filter_map(|byte| entries.add(byte));
        found.map(|failure| (failure.err_no, failure.connection)).collect()
    }

    fn failed(id: &str, err_no: u16) -> FailedPush {
        FailedPush { connection_id: id.to_owned(), err_no, err_msg: "no".to_owned() }
    }

    #[test]
    fn each_connection_without_the_push_is_found() {
        let long = "\u{804a}\\\"".repeat(2000);
        let ids =
            [("a+/b==", 429), ("}{\"errNo\":1", 410), ("a\\", 503), (&*long, 422), ("c", 413)];
        let failed = ids.iter().map(|(id, err_no)| failed(id, *err_no)).collect();
        let answer = serde_json::to_string(&PushAnswer::batch(failed)).unwrap();
        let shown = |id: &str| Some(id.to_owned());
        let expected = [
            (Some(429), shown("a+/b==")),
            (Some(410), shown("}{\"errNo\":1")),
            (Some(503), None),
            (Some(422), None),
            (Some(413), shown("c")),
        ];
        assert_eq!(failures_in(&answer), expected);
    }

    #[test]
    fn what_is_no_answer_to_a_push_has_no_failures() {
        for text in ["", "<html>{}</html>", "{}}}}}", r#"{"a":{"b":{}}}"#, "\"{{}", "{\"\\"] {
            assert_eq!(failures_in(text), [], "{text}");
        }
        let endless = format!("{{{{\"a\":{}", "1".repeat(100_000));
        assert_eq!(failures_in(&endless), []);
    }
}
