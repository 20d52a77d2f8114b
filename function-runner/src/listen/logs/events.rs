//! Lines of a log as server-sent events. Each line is one event, and its number is the event's id.

use std::{error::Error, fmt::Write, time::Duration};

use bytes::Bytes;
use daemon::telemetry::for_terminal;
use hyper::body::Frame;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::invocation::recent_lines::{RecentLines, Ring};

/// The size of one piece for the connection. A piece may be longer by one event.
const PIECE_BYTES: usize = 64 * 1024;
/// How often something is written to an idle reader: a write shows whether the reader is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One reader of a log.
#[derive(Debug)]
pub(super) struct Reader {
    ring: watch::Receiver<Ring>,
    /// The number of the line that it reads next.
    next: u64,
    /// The number of the first line that it does not read. None for a reader that follows.
    until: Option<u64>,
    stay: Option<Stay>,
}

#[derive(Debug)]
struct Stay {
    end: CancellationToken,
    #[expect(dead_code, reason = "held, not read")]
    permit: OwnedSemaphorePermit,
}

type Step = Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>;

impl Reader {
    /// A reader that begins `tail` lines before the end.
    pub(super) fn new(lines: &RecentLines, tail: usize) -> Self {
        let ring = lines.subscribe();
        let next = {
            let ring = ring.borrow();
            ring.next().saturating_sub(tail as u64).max(ring.first())
        };
        Self { ring, next, until: None, stay: None }
    }

    /// Reads no line that is logged after this moment.
    pub(super) fn until_now(mut self) -> Self {
        self.until = Some(self.ring.borrow().next());
        self
    }

    /// Reads on until `end`, and holds `permit` until then.
    pub(super) fn following(
        mut self,
        end: CancellationToken,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        self.stay = Some(Stay { end, permit });
        self
    }

    /// The next piece, and the reader after it. The connection asks when it can write.
    pub(super) async fn step(mut self) -> Option<(Step, Self)> {
        let mut piece = self.piece();
        if piece.is_empty() {
            piece = self.wait().await?;
        }
        Some((Ok(Frame::data(piece.into())), self))
    }

    /// Waits for a piece. `None` when there will be no more.
    async fn wait(&mut self) -> Option<String> {
        let end = self.stay.as_ref()?.end.clone();
        let next = self.next;
        let news = self.ring.wait_for(|ring| ring.next() > next);
        let is_over = tokio::select! {
            biased;
            news = timeout(HEARTBEAT, news) => match news {
                Ok(news) => news.is_err(),
                Err(_) => return Some(":\n\n".to_owned()),
            },
            () = end.cancelled() => true,
        };
        if is_over { None } else { Some(self.piece()) }
    }

    fn piece(&mut self) -> String {
        let mut piece = String::new();
        let ring = self.ring.borrow_and_update();
        let skipped = ring.first().saturating_sub(self.next);
        if skipped > 0 {
            self.next = ring.first();
            let _ = write!(piece, "event: skipped\ndata: {skipped} lines skipped\n\n");
        }
        for (number, line) in ring.since(self.next) {
            if piece.len() >= PIECE_BYTES || self.until.is_some_and(|until| number >= until) {
                break;
            }
            write_event(&mut piece, number, line);
            self.next = number + 1;
        }
        piece
    }
}

/// A text with several lines is written as several fields, which the reader joins. Most readers are
/// terminals.
fn write_event(piece: &mut String, number: u64, line: &str) {
    let _ = writeln!(piece, "id: {number}");
    for part in for_terminal(line).split('\n') {
        let _ = writeln!(piece, "data: {part}");
    }
    piece.push('\n');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use tokio::sync::Semaphore;
    use tokio_util::sync::CancellationToken;

    use super::Reader;
    use crate::invocation::recent_lines::{LINES_MAX, RecentLines};

    fn following(lines: &RecentLines, tail: usize, end: &CancellationToken) -> Reader {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Reader::new(lines, tail).following(end.clone(), place)
    }

    async fn next(reader: Reader) -> (String, Reader) {
        let (step, reader) = reader.step().await.expect("there is more");
        let bytes = step.unwrap().into_data().unwrap();
        (String::from_utf8(bytes.to_vec()).unwrap(), reader)
    }

    #[tokio::test]
    async fn a_reader_that_falls_behind_is_told_how_many_lines_it_has_missed() {
        let (lines, end) = (RecentLines::of_function(), CancellationToken::new());
        let reader = following(&lines, 1, &end);
        lines.push(&["first".into()]);
        let (piece, reader) = next(reader).await;
        assert_eq!(piece, "id: 0\ndata: first\n\n");
        (0..LINES_MAX + 7).for_each(|_| lines.push(&["".into()]));
        let (piece, _) = next(reader).await;
        assert!(
            piece.starts_with("event: skipped\ndata: 7 lines skipped\n\nid: 8\ndata: \n\n"),
            "{piece}"
        );
        assert!(piece.ends_with("id: 1007\ndata: \n\n"), "{piece}");
    }

    #[tokio::test]
    async fn pieces_are_bounded_and_what_moves_the_cursor_is_escaped() {
        let (lines, end) = (RecentLines::of_function(), CancellationToken::new());
        lines.push(&[
            "a\rb\u{1b}[2J\nc".into(),
            "x".repeat(60_000).into(),
            "y".repeat(60_000).into(),
        ]);
        lines.push(&["z".into()]);
        let (piece, reader) = next(following(&lines, 4, &end)).await;
        assert!(piece.starts_with("id: 0\ndata: a\\x0db\\x1b[2J\ndata: c\n\nid: 1\n"), "{piece}");
        assert_eq!(piece.matches("id: ").count(), 3);
        assert_eq!(next(reader).await.0, "id: 3\ndata: z\n\n");
    }

    #[tokio::test]
    async fn the_end_comes_behind_what_was_logged() {
        let (lines, end) = (RecentLines::of_function(), CancellationToken::new());
        let reader = following(&lines, 0, &end);
        lines.push(&["last".into()]);
        end.cancel();
        let (piece, reader) = next(reader).await;
        assert_eq!(piece, "id: 0\ndata: last\n\n");
        assert!(reader.step().await.is_none());
        // Nobody can write any more.
        let reader = following(&lines, 0, &CancellationToken::new());
        drop(lines);
        assert!(reader.step().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_without_news_hears_a_heartbeat() {
        let (lines, end) = (RecentLines::of_function(), CancellationToken::new());
        let (piece, reader) = next(following(&lines, 0, &end)).await;
        assert_eq!(piece, ":\n\n");
        assert!(reader.step().now_or_never().is_none());
    }
}
