//! Follows the heads of requests through the bytes of a connection.
//!
//! One read may bring the end of a head, a body and the begin of the next head. The begin is known
//! wherever it is, as long as not too much comes behind a head at once.

use std::mem;

use http::StatusCode;

use super::head_start::{BAD_REQUEST, HeadStart, OtherProtocol};
use crate::activity::LastRequest;

/// How many bytes behind a head are kept.
const AFTER_MAX: usize = 4 << 10;

/// The head that comes, or that of the request in hand.
#[derive(Debug, Default)]
pub(super) struct Heads {
    start: HeadStart,
    at: At,
    /// Whether the last bytes were an empty line. Then either nothing of the next head has come, or
    /// all of it.
    ends_blank: bool,
    /// How many requests have been taken.
    number: u64,
}

/// Where the last bytes were.
#[derive(Debug)]
enum At {
    Head(HeadEnd),
    After(After),
    /// In a head whose begin is not known, or somewhere behind it.
    Unknown,
}

/// What has come behind a head.
#[derive(Debug)]
struct After {
    /// The first bytes of it.
    bytes: Vec<u8>,
    total: usize,
    request: Option<TakenRequest>,
}

/// The service has got the request.
#[derive(Debug, Clone, Copy)]
struct TakenRequest {
    body_bytes: Option<u64>,
}

/// Looks for the empty line at the end of a head.
#[derive(Debug)]
struct HeadEnd {
    has_line: bool,
    is_at_line_begin: bool,
}

impl Heads {
    /// Bytes have come. `is_of_head` says that they begin as part of a head.
    pub(super) fn received(&mut self, bytes: &[u8], is_of_head: bool) {
        self.ends_blank = bytes.ends_with(b"\n\r\n");
        match &mut self.at {
            At::Head(end) => {
                let end = end.find(bytes);
                self.start.add(&bytes[..end.unwrap_or(bytes.len())]);
                if let Some(end) = end {
                    self.at = At::After(After::new(&bytes[end..]));
                }
            }
            At::After(after) => after.add(bytes),
            At::Unknown if is_of_head => self.start.add(bytes),
            At::Unknown => {}
        }
    }

    /// The last request that the service has got.
    pub(super) fn request(&mut self, last: LastRequest) {
        let before = mem::replace(&mut self.number, last.number);
        if before == last.number {
            return;
        }
        // Its head came together with the request before.
        self.next();
        match &mut self.at {
            At::After(after) if before + 1 == last.number => {
                after.request = Some(TakenRequest { body_bytes: last.body_bytes });
            }
            _ => self.at = At::Unknown,
        }
    }

    /// All of the request in hand has been read, and the next head comes.
    pub(super) fn next(&mut self) {
        let rest = match &self.at {
            At::Head(_) | At::After(After { request: None, .. }) => return,
            At::After(after) => after.rest(self.ends_blank),
            At::Unknown => self.ends_blank.then(Vec::new),
        };
        self.start.clear();
        self.at = At::Unknown;
        if let Some(rest) = rest {
            self.at = At::default();
            let ends_blank = self.ends_blank;
            self.received(&rest, true);
            self.ends_blank = ends_blank;
        }
    }

    /// Whether part of a head has come, and no request of it.
    pub(super) fn has_part(&self) -> bool {
        matches!(self.at, At::Head(_)) && !self.is_blank()
    }

    /// Whether nothing but line breaks has come of the head.
    pub(super) fn is_blank(&self) -> bool {
        self.start.is_blank()
    }

    pub(super) fn is_of_head_method(&self) -> bool {
        self.start.is_of_head_method()
    }

    pub(super) fn other_protocol(&self) -> Option<OtherProtocol> {
        let is_known = !matches!(self.at, At::Unknown);
        self.start.other_protocol().filter(|_| is_known)
    }

    /// Why hyper has answered the head with `status`.
    pub(super) fn problem(&self, status: StatusCode) -> String {
        let is_known = !matches!(self.at, At::Unknown) && !self.is_blank();
        if is_known || status != StatusCode::BAD_REQUEST {
            self.start.problem(status)
        } else {
            BAD_REQUEST.to_owned()
        }
    }
}

impl Default for At {
    fn default() -> Self {
        Self::Head(HeadEnd { has_line: false, is_at_line_begin: true })
    }
}

impl After {
    fn new(bytes: &[u8]) -> Self {
        let mut after = Self { bytes: Vec::new(), total: 0, request: None };
        after.add(bytes);
        after
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = AFTER_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.total += bytes.len();
    }

    /// What has come behind the body, if it is known. `ends_blank` says that it is nothing, or a
    /// whole head.
    fn rest(&self, ends_blank: bool) -> Option<Vec<u8>> {
        match self.request?.body_bytes.map(usize::try_from) {
            Some(Ok(body)) if body == self.total => Some(Vec::new()),
            Some(Ok(body)) if self.total == self.bytes.len() => {
                self.bytes.get(body..).map(<[u8]>::to_vec)
            }
            Some(_) => None,
            None => ends_blank.then(Vec::new),
        }
    }
}

impl HeadEnd {
    /// How many of `bytes` are of the head, if they have its end. Empty lines before a head are
    /// part of it.
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.has_line && self.is_at_line_begin => return Some(at + 1),
                b'\n' => self.is_at_line_begin = true,
                b'\r' => {}
                _ => (self.has_line, self.is_at_line_begin) = (true, false),
            }
        }
        None
    }
}
