//! The permits of a function, and the queue for them. It is in order, and has a bound and a
//! timeout.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use shared::invocation::InvocationFault;
use tokio::{sync::Semaphore, time::timeout};

use crate::{invocation::Fault, runtime::subprocess::lease::Permit};

/// How many invocations may wait for each permit.
const WAITING_PER_PERMIT: usize = 10;

#[derive(Debug)]
pub(super) struct Queue {
    permits: Arc<Semaphore>,
    count: usize,
    waiting: AtomicUsize,
}

impl Queue {
    pub(super) fn new(permits: usize) -> Self {
        let free = Arc::new(Semaphore::new(permits));
        Self { permits: free, count: permits, waiting: AtomicUsize::new(0) }
    }

    pub(super) fn taken(&self) -> usize {
        self.count - self.permits.available_permits()
    }

    /// A permit, if one is free and no invocation waits for it.
    pub(super) fn free_permit(&self) -> Option<Permit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Waits for a permit, at most `limit`.
    pub(super) async fn permit(&self, limit: Duration) -> Result<Permit, Fault> {
        if let Some(permit) = self.free_permit() {
            return Ok(permit);
        }
        let turn = Turn::take(&self.waiting);
        if turn.number >= self.count.saturating_mul(WAITING_PER_PERMIT) {
            return Err(exceeded("function has as many invocations waiting as it may have"));
        }
        let permit = timeout(limit, Arc::clone(&self.permits).acquire_owned()).await;
        let permit =
            permit.map_err(|_| exceeded("no instance of the function came free in time"))?;
        Ok(permit.expect("the semaphore is never closed"))
    }
}

/// Counts an invocation that waits, until dropped.
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

    use super::{Queue, WAITING_PER_PERMIT};

    #[tokio::test(start_paused = true)]
    async fn who_comes_too_late_is_turned_away_and_who_waits_too_long_gives_up() {
        let queue = Queue::new(1);
        let held = queue.permit(Duration::from_secs(3)).await.unwrap();
        let waiting =
            join_all((0..WAITING_PER_PERMIT).map(|_| queue.permit(Duration::from_secs(3))));
        let late = async {
            tokio::task::yield_now().await;
            queue.permit(Duration::MAX).await
        };
        let (waiting, late) = tokio::join!(waiting, late);
        for outcome in waiting.into_iter().chain([late]) {
            assert_eq!(outcome.unwrap_err().kind, InvocationFault::ConcurrencyExceeded);
        }
        drop(held);
        drop(queue.permit(Duration::ZERO).await.unwrap());
        assert_eq!(queue.taken(), 0);
    }
}
