//! The format of a batch and of its response.
//!
//! Each item of a batch is `<id> <traceparent or -> <length>\n<body>\n`. Each response to an item
//! is `<index> <status> <length>\n<body>\n`, in any order. `<length>` is the length of the body in
//! bytes, and `<index>` the index of the item in the batch, from 0.

use std::{fmt::Write, str::FromStr};

use bytes::{Buf, Bytes, BytesMut};

/// The largest body that is read. The largest one that is sent is a reply of a function: 6 MiB.
const BODY_BYTES_MAX: usize = 8 << 20;
/// The most items in one batch that are read. The client sends fewer.
const ITEMS_MAX: usize = 16_384;
/// The longest line that is read: two words, a number and a line break fit.
const LINE_BYTES_MAX: usize = 1024;
/// The longest word.
const WORD_BYTES_MAX: usize = 400;

/// One request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Names the exchange in the logs: 1 to 400 visible ASCII characters.
    pub id: Box<str>,
    /// The header `traceparent` of W3C Trace Context. Not sent if it is longer than 400 characters
    /// or has other characters than visible ASCII.
    pub traceparent: Option<Box<str>>,
    /// The body of the request, as it would be if the item were a request of its own.
    pub body: Bytes,
}

/// The response to one item of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemResponse {
    /// The HTTP status, as it would be if the item were a request of its own.
    pub status: u16,
    /// The body of the response.
    pub body: Bytes,
}

/// The bytes do not have the format of a batch, or of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a batch: {0}")]
pub struct Malformed(&'static str);

impl Item {
    /// The size of the item in bytes, as it counts for the size of the batch.
    pub(crate) fn weight(&self) -> usize {
        self.id.len() + self.body.len()
    }

    pub(crate) fn encode(&self, buffer: &mut BytesMut) {
        let traceparent = self.traceparent.as_deref().filter(|text| is_word(text)).unwrap_or("-");
        line(buffer, &self.id, traceparent, self.body.len());
        buffer.extend_from_slice(&self.body);
        buffer.extend_from_slice(b"\n");
    }
}

impl ItemResponse {
    pub(crate) fn encode(&self, index: usize, buffer: &mut BytesMut) {
        let _ = writeln!(buffer, "{index} {} {}", self.status, self.body.len());
        buffer.extend_from_slice(&self.body);
        buffer.extend_from_slice(b"\n");
    }
}

/// The items of a batch. Their bodies are slices of `bytes`, not copies.
pub fn items(mut bytes: Bytes) -> Result<Vec<Item>, Malformed> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        if items.len() == ITEMS_MAX {
            return Err(Malformed("it has too many items"));
        }
        let head = Head::read(&bytes)?.ok_or(BROKEN_OFF)?;
        let [id, traceparent] = head.words;
        if !is_word(id) {
            return Err(Malformed("an id has other characters than visible ASCII"));
        }
        let traceparent = (traceparent != "-").then(|| traceparent.into());
        let id = id.into();
        let (line, length) = (head.line, head.length);
        if length > BODY_BYTES_MAX {
            return Err(Malformed("a body is too large"));
        }
        let body = take(&mut bytes, line, length)?.ok_or(BROKEN_OFF)?;
        items.push(Item { id, traceparent, body });
    }
    Ok(items)
}

/// Reads the responses of items from the chunks of a stream.
#[derive(Debug)]
pub struct ResponseReader {
    buffer: BytesMut,
    /// The largest body that is kept.
    body_bytes_max: usize,
    skipped: Option<Skipped>,
}

/// A response whose body is too large to be kept.
#[derive(Debug, Clone, Copy)]
struct Skipped {
    index: usize,
    status: u16,
    /// How many bytes of the response are still to come.
    left: usize,
}

/// A response that was read, or the reason why not.
pub type ReadResponse = Result<ItemResponse, TooLarge>;

/// The body of a response is larger than those that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// The HTTP status of the response.
    pub status: u16,
}

impl Default for ResponseReader {
    fn default() -> Self {
        Self::keeping(BODY_BYTES_MAX)
    }
}

impl ResponseReader {
    /// A reader that keeps bodies of so many bytes at most.
    pub fn keeping(body_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), body_bytes_max, skipped: None }
    }

    /// Adds bytes of the stream. They are kept until [`Self::next_response`] has returned or
    /// skipped them.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete response, with the index of its item. `None` if more bytes are needed. One
    /// that is too large is read to its end, and does not harm the others.
    pub fn next_response(&mut self) -> Result<Option<(usize, ReadResponse)>, Malformed> {
        if let Some((index, too_large)) = self.skip() {
            return Ok(Some((index, Err(too_large))));
        }
        if self.skipped.is_some() {
            return Ok(None);
        }
        let Some(head) = Head::read(&self.buffer)? else { return Ok(None) };
        let [index, status] = head.words;
        let (index, status) = (number(index)?, number(status)?);
        let (line, length) = (head.line, head.length);
        if length > self.body_bytes_max {
            let left = line.checked_add(length).and_then(|bytes| bytes.checked_add(1));
            let left = left.ok_or(Malformed("a body is too large"))?;
            self.skipped = Some(Skipped { index, status, left });
            return self.next_response();
        }
        if self.buffer.len() <= line + length {
            return Ok(None);
        }
        let mut bytes = self.buffer.split_to(line + length + 1).freeze();
        let body = take(&mut bytes, line, length)?.ok_or(BROKEN_OFF)?;
        Ok(Some((index, Ok(ItemResponse { status, body }))))
    }

    /// Drops what has come of a response that is too large. At its end, the index of its item.
    fn skip(&mut self) -> Option<(usize, TooLarge)> {
        let Skipped { index, status, left } = self.skipped.take()?;
        let here = left.min(self.buffer.len());
        self.buffer.advance(here);
        if here == left {
            return Some((index, TooLarge { status }));
        }
        self.skipped = Some(Skipped { index, status, left: left - here });
        None
    }
}

const BROKEN_OFF: Malformed = Malformed("it breaks off");

/// The line in front of a body.
struct Head<'a> {
    words: [&'a str; 2],
    /// The length of the line in bytes, with its line break.
    line: usize,
    /// The length of the body in bytes.
    length: usize,
}

impl<'a> Head<'a> {
    /// Reads the line at the start of `bytes`. `None` if the line is not complete.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let start = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
        let Some(end) = start.iter().position(|byte| *byte == b'\n') else {
            let is_too_long = start.len() == LINE_BYTES_MAX;
            return if is_too_long { Err(Malformed("a line is too long")) } else { Ok(None) };
        };
        let text = str::from_utf8(&bytes[..end]).map_err(|_| Malformed("a line is not text"))?;
        let mut words = text.split(' ');
        let (Some(a), Some(b), Some(length), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Malformed("a line does not have three words"));
        };
        let length = number(length)?;
        Ok(Some(Self { words: [a, b], line: end + 1, length }))
    }
}

/// Removes a line of `line` bytes, a body of `length` bytes and its line break from `bytes`, and
/// returns the body. `None` if `bytes` is too short.
fn take(bytes: &mut Bytes, line: usize, length: usize) -> Result<Option<Bytes>, Malformed> {
    let end = line + length;
    if end >= bytes.len() {
        return Ok(None);
    }
    if bytes[end] != b'\n' {
        return Err(Malformed("a body is longer than its line says"));
    }
    bytes.advance(line);
    let body = bytes.split_to(length);
    bytes.advance(1);
    Ok(Some(body))
}

fn line(buffer: &mut BytesMut, a: &str, b: &str, length: usize) {
    writeln!(buffer, "{a} {b} {length}").expect("a buffer grows");
}

fn number<T: FromStr>(word: &str) -> Result<T, Malformed> {
    word.parse().map_err(|_| Malformed("a word that must be a number is not one"))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic())
}
