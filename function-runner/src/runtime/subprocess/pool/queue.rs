//! The places of a function, and the queue for them: first come, first served, not too long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use shared::invocation::InvocationFault;
use tokio::{sync::Semaphore, time::timeout};

use crate::{fault::Fault, runtime::subprocess::lease::Place};

/// How many may wait for each place there is.
const WAITING_PER_PLACE: usize = 10;

#[derive(Debug)]
pub(super) struct Queue {
    places: Arc<Semaphore>,
    count: usize,
    waiting: AtomicUsize,
}

impl Queue {
    pub(super) fn new(places: usize) -> Self {
        let free = Arc::new(Semaphore::new(places));
        Self { places: free, count: places, waiting: AtomicUsize::new(0) }
    }

    pub(super) fn taken(&self) -> usize {
        self.count - self.places.available_permits()
    }

    /// A place, when one is free and nobody waits for it.
    pub(super) fn free_place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Waits for a place, at most `limit`.
    pub(super) async fn place(&self, limit: Duration) -> Result<Place, Fault> {
        if let Some(place) = self.free_place() {
            return Ok(place);
        }
        let turn = Turn::take(&self.waiting);
        if turn.number >= self.count.saturating_mul(WAITING_PER_PLACE) {
            return Err(exceeded("function has as many invocations waiting as it may have"));
        }
        let place = timeout(limit, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| exceeded("no instance of the function came free in time"))?;
        Ok(place.expect("the semaphore is never closed"))
    }
}

/// One that waits, until dropped.
struct Turn<'a> {
    number: usize,
    waiting: &'a AtomicUsize,
}

impl<'a> Turn<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        Self { number: waiting.fetch_add(1, Ordering::Relaxed), waiting }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn exceeded(message: &'static str) -> Fault {
    Fault::new(InvocationFault::ConcurrencyExceeded, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use shared::invocation::InvocationFault;

    use super::{Queue, WAITING_PER_PLACE};

    #[tokio::test(start_paused = true)]
    async fn who_comes_too_late_is_turned_away_and_who_waits_too_long_gives_up() {
        let queue = Queue::new(1);
        let held = queue.place(Duration::from_secs(3)).await.unwrap();
        let waiting = join_all((0..WAITING_PER_PLACE).map(|_| queue.place(Duration::from_secs(3))));
        let late = async {
            tokio::task::yield_now().await;
            queue.place(Duration::MAX).await
        };
        let (waiting, late) = tokio::join!(waiting, late);
        for outcome in waiting.into_iter().chain([late]) {
            assert_eq!(outcome.unwrap_err().kind, InvocationFault::ConcurrencyExceeded);
        }
        drop(held);
        drop(queue.place(Duration::ZERO).await.unwrap());
        assert_eq!(queue.taken(), 0);
    }
}
