//! Turns at reading files. Thousands of clients that ask for a page at once would otherwise hold up
//! the messages of all others for as long as their pages are read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

/// How many pages are read at the same time, a chunk of each.
const READ_AT_ONCE: usize = 16;

/// The turns of one folder. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);

/// A page whose chunks are read in turn with those of other pages.
pub(super) struct InTurn<B> {
    page: B,
    turns: PollSemaphore,
    /// Kept while a chunk is read.
    turn: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(READ_AT_ONCE)))
    }

    pub(super) fn read<B>(&self, page: B) -> InTurn<B> {
        InTurn { page, turns: PollSemaphore::new(Arc::clone(&self.0)), turn: None }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for InTurn<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if this.turn.is_none() {
            this.turn = ready!(this.turns.poll_acquire(cx));
        }
        let frame = ready!(Pin::new(&mut this.page).poll_frame(cx));
        this.turn = None;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.page.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.page.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;
    use http_body_util::BodyExt;
    use tokio::task::yield_now;

    use super::*;

    const CHUNKS: usize = 5;

    /// A page that counts how many pages are being read.
    fn page(
        reading: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    ) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let chunks = futures_util::stream::unfold(0, move |chunk| {
            let (reading, most) = (Arc::clone(&reading), Arc::clone(&most));
            async move {
                most.fetch_max(reading.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                yield_now().await;
                reading.fetch_sub(1, Ordering::Relaxed);
                (chunk < CHUNKS).then(|| (Ok(Frame::data(Bytes::from_static(b"x"))), chunk + 1))
            }
        });
        http_body_util::StreamBody::new(Box::pin(chunks))
    }

    #[tokio::test]
    async fn all_pages_are_read_to_their_end_and_few_at_once() {
        let (turns, reading) = (Turns::new(), Arc::new(AtomicUsize::new(0)));
        let most = Arc::new(AtomicUsize::new(0));
        let pages = (0..10 * READ_AT_ONCE)
            .map(|_| turns.read(page(Arc::clone(&reading), Arc::clone(&most))).collect());
        for page in join_all(pages).await {
            assert_eq!(page.unwrap().to_bytes().len(), CHUNKS);
        }
        assert_eq!(most.load(Ordering::Relaxed), READ_AT_ONCE);
    }

    #[tokio::test]
    async fn a_page_that_is_left_gives_its_turn_back() {
        let (turns, reading) = (Turns::new(), Arc::new(AtomicUsize::new(0)));
        let mut left: Vec<_> = (0..READ_AT_ONCE)
            .map(|_| turns.read(page(Arc::clone(&reading), Arc::clone(&reading))))
            .collect();
        for page in &mut left {
            assert!(futures_util::poll!(page.frame()).is_pending());
        }
        drop(left);
        let page = turns.read(page(Arc::default(), Arc::default())).collect().await;
        assert_eq!(page.unwrap().to_bytes().len(), CHUNKS);
    }
}
