//! Memory that bodies take, one permit for each byte, in the order in which they began to wait.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BodyError, holders::Holders};

/// The length of a small body.
pub(super) const SMALL_BYTES: usize = 256 << 10;

/// Memory for large bodies, and beside it memory for small ones.
#[derive(Debug)]
pub(super) struct Pools {
    pub(super) large: Pool,
    pub(super) small: Pool,
}

/// The memory for bodies of some sizes.
#[derive(Debug)]
pub(super) struct Pool {
    /// One for each byte.
    permits: Arc<Semaphore>,
    pub(super) bytes: usize,
    /// How many bodies wait for memory.
    waiting: AtomicUsize,
    /// The connections whose answers hold memory.
    pub(super) holders: Holders,
}

impl Pools {
    /// Memory of so many bytes.
    pub(super) fn new(large: usize, small: usize) -> Self {
        Self { large: Pool::new(large), small: Pool::new(small) }
    }

    /// The memory for a body of so many bytes.
    pub(super) fn of(&self, bytes: usize) -> &Pool {
        if bytes <= SMALL_BYTES { &self.small } else { &self.large }
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let permits = Arc::new(Semaphore::new(bytes));
        Self { permits, bytes, waiting: AtomicUsize::new(0), holders: Holders::default() }
    }

    /// Whether `permit` is for memory of this pool.
    pub(super) fn has(&self, permit: &OwnedSemaphorePermit) -> bool {
        Arc::ptr_eq(permit.semaphore(), &self.permits)
    }

    /// Whether a body waits for memory.
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Takes memory for so many bytes, and waits for it.
    pub(super) async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BodyError> {
        let permits = u32::try_from(bytes).map_err(|_| BodyError::NoMemory)?;
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_many_owned(permits) {
            return Ok(permit);
        }
        let _waiting = Waiting::begin(&self.waiting);
        let acquired = Arc::clone(&self.permits).acquire_many_owned(permits);
        tokio::select! {
            biased;
            acquired = acquired => Ok(acquired.expect("the semaphore is never closed")),
            never = self.holders.give_way() => match never {},
        }
    }
}

/// Counts a body that waits, also if its connection ends meanwhile.
struct Waiting<'c>(&'c AtomicUsize);

impl<'c> Waiting<'c> {
    fn begin(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
