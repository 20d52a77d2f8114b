//! The last lines of a log: of a function, for its operators, or of one invocation, for its caller.
//!
//! A write never waits: beyond the bounds it removes the oldest lines. The lines have numbers, from
//! which a reader learns how many it has missed.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use daemon::telemetry::redact;
use tokio::sync::watch;

/// How many lines and bytes are kept of a function.
pub(crate) const LINES_MAX: usize = 1000;
const BYTES_MAX: usize = 256 * 1024;
/// How many bytes a caller gets of its own invocation (documented).
const TAIL_BYTES_MAX: usize = 4 * 1024;

/// The last lines. A handle: clones are the same lines.
#[derive(Debug, Clone)]
pub(crate) struct RecentLines(Arc<watch::Sender<Ring>>);

/// The lines, numbered from 0 on.
#[derive(Debug)]
pub(crate) struct Ring {
    lines: VecDeque<Arc<str>>,
    bytes: usize,
    bytes_max: usize,
    /// The number of the next line.
    next: u64,
}

impl RecentLines {
    pub(crate) fn of_function() -> Self {
        Self::new(BYTES_MAX)
    }

    pub(crate) fn of_invocation() -> Self {
        Self::new(TAIL_BYTES_MAX)
    }

    fn new(bytes_max: usize) -> Self {
        let ring = Ring { lines: VecDeque::new(), bytes: 0, bytes_max, next: 0 };
        Self(Arc::new(watch::Sender::new(ring)))
    }

    /// Adds `lines`, without lines of others in between. Tokens in them are cut.
    pub(crate) fn push(&self, lines: &[Arc<str>]) {
        let lines = lines.iter().map(|line| match redact(line) {
            Cow::Borrowed(_) => Arc::clone(line),
            Cow::Owned(redacted) => redacted.into(),
        });
        let lines: Vec<_> = lines.collect();
        self.0.send_modify(|ring| lines.into_iter().for_each(|line| ring.push(line)));
    }

    /// For reading lines as they are written. Closed when nobody can write any more.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Ring> {
        self.0.subscribe()
    }

    /// All lines as text. Of a line that is too long, only the end.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.0.borrow().lines {
            text.push_str(line);
            text.push('\n');
        }
        let start = text.ceil_char_boundary(text.len().saturating_sub(TAIL_BYTES_MAX));
        text.split_off(start)
    }
}

impl Ring {
    fn push(&mut self, line: Arc<str>) {
        self.bytes += size(&line);
        self.lines.push_back(line);
        self.next += 1;
        // The last line always stays. Its length has a bound of its own.
        while self.lines.len() > LINES_MAX || (self.bytes > self.bytes_max && self.lines.len() > 1)
        {
            self.bytes -= self.lines.pop_front().map_or(0, |line| size(&line));
        }
    }

    /// The number of the oldest line.
    pub(crate) fn first(&self) -> u64 {
        self.next - self.lines.len() as u64
    }

    /// The number that the next line will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The lines from `number` on, or from the oldest one.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = (u64, &Arc<str>)> {
        let start = number.clamp(self.first(), self.next);
        let skip = usize::try_from(start - self.first()).unwrap_or(LINES_MAX);
        (start..).zip(self.lines.iter().skip(skip))
    }
}

/// The bytes of a line, with its line break.
fn size(line: &str) -> usize {
    line.len() + 1
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{BYTES_MAX, LINES_MAX, RecentLines, TAIL_BYTES_MAX};

    /// The numbers of the first line and of the next one, after `count` lines of `bytes`.
    fn kept(lines: &RecentLines, count: usize, bytes: usize) -> (u64, u64) {
        let line: Arc<str> = "x".repeat(bytes).into();
        (0..count).for_each(|_| lines.push(&[Arc::clone(&line)]));
        let ring = lines.subscribe();
        let ring = ring.borrow();
        (ring.first(), ring.next())
    }

    #[test]
    fn the_oldest_lines_make_room() {
        assert_eq!(kept(&RecentLines::of_function(), LINES_MAX, 0), (0, 1000));
        assert_eq!(kept(&RecentLines::of_function(), LINES_MAX + 3, 0), (3, 1003));
        // With their ends, 256 lines of 1 KiB.
        assert_eq!(kept(&RecentLines::of_function(), 300, 1023), (44, 300));
        assert_eq!(kept(&RecentLines::of_function(), 2, BYTES_MAX), (1, 2));
    }

    #[test]
    fn a_reader_begins_where_it_asks_or_at_the_oldest_line() {
        let lines = RecentLines::of_function();
        kept(&lines, LINES_MAX + 2, 1);
        let ring = lines.subscribe();
        let numbers =
            |from| ring.borrow().since(from).map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(numbers(1000), [1000, 1001]);
        assert_eq!(numbers(0), (2..1002).collect::<Vec<_>>());
        assert_eq!((numbers(1002), numbers(u64::MAX)), (vec![], vec![]));
    }

    #[test]
    fn the_tail_of_an_invocation_is_whole_lines_or_the_end_of_one() {
        let tail = RecentLines::of_invocation();
        tail.push(&["first".into(), "second".into()]);
        assert_eq!(tail.text(), "first\nsecond\n");
        tail.push(&["y".repeat(TAIL_BYTES_MAX - 8).into()]);
        assert_eq!(tail.text(), format!("second\n{}\n", "y".repeat(TAIL_BYTES_MAX - 8)));
        // Three bytes each: no character is cut.
        tail.push(&["\u{4f60}".repeat(TAIL_BYTES_MAX).into()]);
        assert_eq!(tail.text(), format!("{}\n", "\u{4f60}".repeat(TAIL_BYTES_MAX / 3)));
    }

    /// A function may print the address that it pushes to, which can have a token in its path.
    #[test]
    fn a_token_that_a_function_prints_is_cut() {
        let lines = RecentLines::of_function();
        lines.push(&["POST http://127.0.0.1:9001/~/t/0123456789abcdef/api-x".into()]);
        assert_eq!(lines.text(), "POST http://127.0.0.1:9001/~/t/0123…/api-x\n");
    }
}
