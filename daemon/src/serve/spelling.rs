//! The spelling of header names in a 101. Hyper writes them in lower case. A name means the same
//! in any spelling, but some WebSocket clients for small devices look for that of RFC 6455.

use std::{
    io::IoSlice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// How the head of a 101 begins.
const SWITCHING: &[u8] = b"HTTP/1.1 101 ";

/// Says that the next head is that of a 101: what looks like one may as well be part of a body.
#[derive(Debug, Clone, Default)]
pub(super) struct Switching(Arc<AtomicBool>);

impl Switching {
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_next(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Writes the head of a 101 with names as RFC 6455 spells them.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    pub(super) switching: Switching,
    /// The rest of the head that is being written.
    rest: Vec<u8>,
}

impl Spelling {
    /// What is to be written in place of `bytes`, and has the same length. None if that is `bytes`.
    pub(super) fn of(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        if self.rest.is_empty() && self.switching.is_next() && bytes.starts_with(SWITCHING) {
            self.switching.end();
            self.rest = spelled(bytes);
        }
        (!self.rest.is_empty()).then_some(&self.rest)
    }

    /// How many of these pieces come before the head. All of them if it is not there.
    pub(super) fn before_head(&self, pieces: &[IoSlice<'_>]) -> usize {
        let count = pieces.len();
        if !self.rest.is_empty() {
            return 0;
        }
        if !self.switching.is_next() {
            return count;
        }
        pieces.iter().position(|piece| piece.starts_with(SWITCHING)).unwrap_or(count)
    }

    /// So many bytes of it have been written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.rest.drain(..bytes.min(self.rest.len()));
    }
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

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
        sec-websocket-accept: a:sec-websocket-b\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    const SPELLED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: a:sec-websocket-b\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

    #[test]
    fn the_head_of_a_101_is_spelled_however_few_bytes_are_written_at_once() {
        for step in [1, 7, HEAD.len()] {
            let (mut spelling, mut written, mut left) = (Spelling::default(), Vec::new(), HEAD);
            spelling.switching.begin();
            while !left.is_empty() {
                let spelled = spelling.of(left).unwrap();
                assert_eq!(spelled.len(), left.len());
                let bytes = step.min(left.len());
                written.extend_from_slice(&spelled[..bytes]);
                spelling.wrote(bytes);
                left = &left[bytes..];
            }
            assert_eq!(written, SPELLED);
            assert_eq!(spelling.of(HEAD), None, "there is one 101 on a connection");
        }
    }

    #[test]
    fn what_is_not_a_101_is_left_alone() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.of(HEAD), None, "it is part of a body");
        let pieces = [IoSlice::new(b"body"), IoSlice::new(HEAD)];
        assert_eq!(spelling.before_head(&pieces), 2);
        spelling.switching.begin();
        assert_eq!(spelling.of(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(spelling.before_head(&pieces), 1);
        assert_eq!(spelling.of(HEAD), Some(SPELLED));
    }
}
