//! What the cleanups of one API may take. Each API has its own: a cleanup function that hangs must
//! not hold up those of others, nor a mass drop the live traffic.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::settings::CleanupSettings;

/// How often the journal is looked at although nothing seems to be in it.
const LOOK: Duration = Duration::from_secs(60);

/// What the cleanups of one API may take.
#[derive(Debug)]
pub(crate) struct CleanupBudget {
    calls: Semaphore,
    room: Arc<Semaphore>,
    deferred: Notify,
    taken_up: AtomicBool,
    left: AtomicBool,
}

/// A place in memory.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl CleanupBudget {
    pub(crate) fn new(settings: &CleanupSettings) -> Self {
        Self {
            calls: Semaphore::new(settings.concurrency),
            room: Arc::new(Semaphore::new(settings.queue)),
            deferred: Notify::new(),
            taken_up: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }
    }

    /// Waits until one more may be called.
    pub(super) async fn call(&self) -> SemaphorePermit<'_> {
        self.calls.acquire().await.expect("the semaphore is never closed")
    }

    /// A place, if there is one.
    pub(super) fn try_place(&self) -> Option<Place> {
        Arc::clone(&self.room).try_acquire_owned().ok().map(Place)
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Place {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        Place(permit.expect("the semaphore is never closed"))
    }

    /// Whether this is the first time that what waits in the journal is taken up.
    pub(super) fn take_up(&self) -> bool {
        !self.taken_up.swap(true, Ordering::Relaxed)
    }

    /// The function failed so often while the gateway drains that what is still owed is left to
    /// the next life.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// There may be more in the journal that can be delivered.
    pub(super) fn defer(&self) {
        self.deferred.notify_one();
    }

    /// Waits until there may be.
    pub(super) async fn deferred(&self) {
        // That time has passed is as good a reason to look.
        let _ = timeout(LOOK, self.deferred.notified()).await;
    }
}
