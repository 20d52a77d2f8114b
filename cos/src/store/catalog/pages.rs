//! Pages of lists, with keys that have a prefix up to a delimiter in common shown as that prefix.

use crate::{refusal::Refusal, store::Page};

/// Rows that are read at once if many of them may be shown as one prefix.
const ROWS_AT_ONCE: u64 = 32;

/// Where a list goes on: at this key, for uploads after this id of an upload with this key.
pub(super) type Position = (Vec<u8>, String);

/// What a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pager<'q> {
    pub(super) prefix: &'q str,
    pub(super) delimiter: &'q str,
    /// How many entries and prefixes a page has at most.
    pub(super) max: usize,
}

/// The first position after all entries with this key.
pub(super) fn after(key: &str) -> Position {
    let mut bytes = key.as_bytes().to_vec();
    if !bytes.is_empty() {
        bytes.push(0);
    }
    (bytes, String::new())
}

impl Pager<'_> {
    /// Where the list begins. `marker` is the key, or the common prefix, with which the page before
    /// ended, and `following` the position after it. `None` if nothing can follow.
    pub(super) fn start(&self, marker: &str, following: Position) -> Option<Position> {
        let following = match self.common(marker) {
            Some(common) => past(common)?,
            None => following,
        };
        Some(following.max((self.prefix.as_bytes().to_vec(), String::new())))
    }

    /// The part of `key` up to the delimiter, if it has the prefix, and the delimiter after it.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.strip_prefix(self.prefix)?;
        if self.delimiter.is_empty() {
            return None;
        }
        let end = rest.find(self.delimiter)? + self.delimiter.len();
        key.get(..self.prefix.len() + end)
    }

    /// Reads a page. `rows` reads so many rows from a position on, each with its key.
    pub(super) fn page<T: HasPosition>(
        &self,
        start: Option<Position>,
        mut rows: impl FnMut(&Position, u64) -> rusqlite::Result<Vec<(String, T)>>,
    ) -> Result<Page<T>, Refusal> {
        let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), next: None };
        let mut last = None;
        let mut position = start.filter(|_| self.max > 0);
        while let Some(from) = position.take() {
            let limit = if self.delimiter.is_empty() { self.max as u64 + 1 } else { ROWS_AT_ONCE };
            let read = rows(&from, limit)?;
            let may_have_more = read.len() as u64 == limit;
            for (key, entry) in read {
                if !key.starts_with(self.prefix) {
                    return Ok(page);
                }
                if page.entries.len() + page.prefixes.len() == self.max {
                    page.next = last;
                    return Ok(page);
                }
                if let Some(common) = self.common(&key) {
                    position = past(common);
                    last = Some(common.to_owned());
                    page.prefixes.push(common.to_owned());
                    break;
                }
                position = Some(entry.position()).filter(|_| may_have_more);
                last = Some(key);
                page.entries.push(entry);
            }
        }
        Ok(page)
    }
}

/// An entry of a list.
pub(super) trait HasPosition {
    /// The position after the entry.
    fn position(&self) -> Position;
}

/// The first position after all keys that begin with `prefix`, which is not empty. There is always
/// one, since no UTF-8 has the byte 255.
fn past(prefix: &str) -> Option<Position> {
    let mut bytes = prefix.as_bytes().to_vec();
    *bytes.last_mut()? += 1;
    Some((bytes, String::new()))
}
