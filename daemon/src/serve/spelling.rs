//! The spelling of header names. Hyper writes them in lower case. A name means the same in any
//! spelling, but some WebSocket clients for small devices look for that of RFC 6455 in a 101, and
//! some client libraries of a service look for that of the service.

use std::{
    io::IoSlice,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// How the head of a 101 begins.
const SWITCHING: &[u8] = b"HTTP/1.1 101 ";
/// How any head begins.
const HEAD: &[u8] = b"HTTP/1.1 ";
/// How a head ends.
const END: &[u8] = b"\r\n\r\n";

/// How names are spelled in the head of a response, if not in lower case. It is an extension of the
/// response.
#[derive(Debug, Clone)]
pub struct SpelledHeaders {
    /// The names.
    pub names: &'static [&'static str],
    /// The value of a header of this response that nobody could know before: what only looks like
    /// a head may be part of a body.
    pub mark: String,
}

/// Says which head comes next.
#[derive(Debug, Clone, Default)]
pub(super) struct NextHead(Arc<Next>);

#[derive(Debug, Default)]
struct Next {
    /// Whether a head comes next that is spelled otherwise.
    is_special: AtomicBool,
    /// None for that of a 101.
    headers: Mutex<Option<SpelledHeaders>>,
}

impl NextHead {
    /// The next head is that of a 101.
    pub(super) fn is_switching(&self) {
        self.set(None);
    }

    /// The next head has names in this spelling.
    pub(super) fn is_spelled(&self, headers: SpelledHeaders) {
        self.set(Some(headers));
    }

    fn set(&self, headers: Option<SpelledHeaders>) {
        *self.0.headers.lock().expect("nothing panics with the lock held") = headers;
        self.0.is_special.store(true, Ordering::Release);
    }

    /// The bytes as they are to be written, if they begin with this head.
    fn spelled(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !self.0.is_special.load(Ordering::Acquire) {
            return None;
        }
        match &*self.0.headers.lock().expect("nothing panics with the lock held") {
            None => bytes.starts_with(SWITCHING).then(|| spelled(bytes)),
            Some(SpelledHeaders { names, mark }) => {
                if !bytes.starts_with(HEAD) {
                    return None;
                }
                let end = bytes.windows(END.len()).position(|four| four == END)?;
                let (head, rest) = bytes.split_at(end);
                let has_mark = head.windows(mark.len()).any(|part| part == mark.as_bytes());
                has_mark.then(|| [&with_names(head, names), rest].concat())
            }
        }
    }

    fn has_come(&self) {
        self.0.is_special.store(false, Ordering::Release);
    }
}

/// Writes heads with names that are spelled otherwise.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    pub(super) next: NextHead,
    /// The rest of the head that is being written.
    rest: Vec<u8>,
}

impl Spelling {
    /// What is to be written in place of `bytes`, and has the same length. None if that is `bytes`.
    pub(super) fn of(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        if self.rest.is_empty()
            && let Some(spelled) = self.next.spelled(bytes)
        {
            self.next.has_come();
            self.rest = spelled;
        }
        (!self.rest.is_empty()).then_some(&self.rest)
    }

    /// How many of these pieces come before the head. All of them if it is not there.
    pub(super) fn before_head(&self, pieces: &[IoSlice<'_>]) -> usize {
        if !self.rest.is_empty() {
            return 0;
        }
        let is_head = |piece: &IoSlice<'_>| self.next.spelled(piece).is_some();
        pieces.iter().position(is_head).unwrap_or(pieces.len())
    }

    /// So many bytes of it have been written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.rest.drain(..bytes.min(self.rest.len()));
    }
}

/// The head with these names.
fn with_names(head: &[u8], names: &[&str]) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let end = line.iter().position(|byte| *byte == b':').unwrap_or(0);
        let (found, rest) = line.split_at(end);
        let name = names.iter().find(|name| name.as_bytes().eq_ignore_ascii_case(found));
        spelled.extend_from_slice(name.map_or(found, |name| name.as_bytes()));
        spelled.extend_from_slice(rest);
    }
    spelled
}

/// The head with names such as `Sec-WebSocket-Accept`.
fn spelled(head: &[u8]) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is_status = spelled.is_empty();
        let name_bytes = line.iter().position(|byte| *byte == b':').filter(|_| !is_status);
        let (name, rest) = line.split_at(name_bytes.unwrap_or(0));
        let mut is_first = true;
        for byte in name {
            spelled.push(if is_first { byte.to_ascii_uppercase() } else { *byte });
            is_first = *byte == b'-';
        }
        let word = b"Sec-Websocket-".len();
        if name.len() > word && name[..word].eq_ignore_ascii_case(b"Sec-WebSocket-") {
            let start = spelled.len() - name.len();
            spelled[start..start + word].copy_from_slice(b"Sec-WebSocket-");
        }
        spelled.extend_from_slice(rest);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD_101: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
        sec-websocket-accept: a:sec-websocket-b\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    const SPELLED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: a:sec-websocket-b\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

    #[test]
    fn the_head_of_a_101_is_spelled_however_few_bytes_are_written_at_once() {
        for step in [1, 7, HEAD_101.len()] {
            let (mut spelling, mut written, mut left) = (Spelling::default(), Vec::new(), HEAD_101);
            spelling.next.is_switching();
            while !left.is_empty() {
                let spelled = spelling.of(left).unwrap();
                assert_eq!(spelled.len(), left.len());
                let bytes = step.min(left.len());
                written.extend_from_slice(&spelled[..bytes]);
                spelling.wrote(bytes);
                left = &left[bytes..];
            }
            assert_eq!(written, SPELLED);
            assert_eq!(spelling.of(HEAD_101), None, "there is one 101 on a connection");
        }
    }

    #[test]
    fn what_is_not_a_101_is_left_alone() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.of(HEAD_101), None, "it is part of a body");
        let pieces = [IoSlice::new(b"body"), IoSlice::new(HEAD_101)];
        assert_eq!(spelling.before_head(&pieces), 2);
        spelling.next.is_switching();
        assert_eq!(spelling.of(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(spelling.before_head(&pieces), 1);
        assert_eq!(spelling.of(HEAD_101), Some(SPELLED));
    }

    #[test]
    fn a_head_with_the_mark_has_the_names_of_its_service() {
        let names = &["ETag", "Content-Length"];
        let mut spelling = Spelling::default();
        spelling.next.is_spelled(SpelledHeaders { names, mark: "4711".to_owned() });
        let other = b"HTTP/1.1 200 OK\r\netag: a\r\n\r\nid: 4711";
        assert_eq!(spelling.of(other), None, "it may be part of a body");
        let response =
            b"HTTP/1.1 200 OK\r\netag: a\r\ncontent-length: 9\r\nid: 4711\r\n\r\netag: b\n";
        let spelled =
            b"HTTP/1.1 200 OK\r\nETag: a\r\nContent-Length: 9\r\nid: 4711\r\n\r\netag: b\n";
        let pieces = [IoSlice::new(other), IoSlice::new(response), IoSlice::new(other)];
        assert_eq!(spelling.before_head(&pieces), 1);
        assert_eq!(spelling.of(response).unwrap(), spelled);
        spelling.wrote(10);
        assert_eq!(spelling.of(&response[10..]).unwrap(), &spelled[10..]);
        spelling.wrote(spelled.len() - 10);
        assert_eq!(spelling.of(response), None, "there is one such head");
    }
}
