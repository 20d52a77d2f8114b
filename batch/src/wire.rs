//! A batch on the wire: for each item a line of words, as many bytes as the line says, and a line
//! break. `<id> <traceparent or -> <bytes>` in a request, `<place> <status> <bytes>` in its answer.

use std::{fmt::Write, str::FromStr};

use bytes::{Buf, Bytes, BytesMut};

/// More than any body that there is.
const BODY_BYTES_MAX: usize = 8 << 20;
/// More than any batch has that we send.
const ITEMS_MAX: usize = 16_384;
/// The longest line that there can be.
const LINE_BYTES_MAX: usize = 1024;
/// Two of them and a number make a line.
const WORD_BYTES_MAX: usize = 400;

/// One request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Names the exchange: visible ASCII.
    pub id: Box<str>,
    /// W3C Trace Context. Left out if it is not visible ASCII.
    pub traceparent: Option<Box<str>>,
    /// What would be the body of a request of its own.
    pub body: Bytes,
}

/// One answer of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What would be the status of an answer of its own.
    pub status: u16,
    /// What would be its body.
    pub body: Bytes,
}

/// It is not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a batch: {0}")]
pub struct Malformed(&'static str);

impl Item {
    /// Bytes that it takes.
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

impl Answer {
    pub(crate) fn encode(&self, place: usize, buffer: &mut BytesMut) {
        let _ = writeln!(buffer, "{place} {} {}", self.status, self.body.len());
        buffer.extend_from_slice(&self.body);
        buffer.extend_from_slice(b"\n");
    }
}

/// The items of a request. Their bodies are parts of `bytes`.
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
        let body = take(&mut bytes, line, length)?.ok_or(BROKEN_OFF)?;
        items.push(Item { id, traceparent, body });
    }
    Ok(items)
}

/// Reads answers as they come.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    buffer: BytesMut,
}

impl Answers {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next answer that is there as a whole, and the place of its item.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Answer)>, Malformed> {
        let Some(head) = Head::read(&self.buffer)? else { return Ok(None) };
        let [place, status] = head.words;
        let (place, status) = (number(place)?, number(status)?);
        let (line, length) = (head.line, head.length);
        if self.buffer.len() <= line + length {
            return Ok(None);
        }
        let mut bytes = self.buffer.split_to(line + length + 1).freeze();
        let body = take(&mut bytes, line, length)?.ok_or(BROKEN_OFF)?;
        Ok(Some((place, Answer { status, body })))
    }
}

const BROKEN_OFF: Malformed = Malformed("it breaks off");

/// A line, with its length and that of what follows it.
struct Head<'a> {
    words: [&'a str; 2],
    line: usize,
    length: usize,
}

impl<'a> Head<'a> {
    /// `None` while the line is not there as a whole.
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
            return Err(Malformed("a line has not three words"));
        };
        let length = number(length)?;
        if length > BODY_BYTES_MAX {
            return Err(Malformed("a body is too large"));
        }
        Ok(Some(Self { words: [a, b], line: end + 1, length }))
    }
}

/// The `length` bytes behind `line`, if they are there with their line break.
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
    word.parse().map_err(|_| Malformed("a number is not one"))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic())
}
