//! What the cleanups of one API may take. Each API has a budget of its own: a cleanup function that
//! hangs does not delay the cleanups of other APIs, and a mass drop does not delay live traffic.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::settings::CleanupSettings;

/// How often the journal is read although nothing seems to be in it.
const READ_INTERVAL: Duration = Duration::from_secs(60);

/// The budgets of all APIs. A budget is made when its API is first asked for, and stays.
#[derive(Debug)]
pub(super) struct Budgets {
    settings: CleanupSettings,
    by_api: Mutex<HashMap<String, Arc<Budget>>>,
}

/// What the cleanups of one API may take.
#[derive(Debug)]
pub(super) struct Budget {
    calls: Semaphore,
    queue: Arc<Semaphore>,
    deferred: Notify,
    taken_up: AtomicBool,
    left: AtomicBool,
}

/// Allows one cleanup to wait in memory.
#[derive(Debug)]
pub(super) struct QueuePermit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Budgets {
    pub(super) fn new(settings: CleanupSettings) -> Self {
        Self { settings, by_api: Mutex::default() }
    }

    /// The budget of the API with this id.
    pub(super) fn of(&self, api: &str) -> Arc<Budget> {
        let mut by_api = self.by_api.lock().expect("no code panics while it holds this lock");
        if let Some(budget) = by_api.get(api) {
            return Arc::clone(budget);
        }
        let budget = Arc::new(Budget::new(&self.settings));
        by_api.insert(api.to_owned(), Arc::clone(&budget));
        budget
    }
}

impl Budget {
    fn new(settings: &CleanupSettings) -> Self {
        Self {
            calls: Semaphore::new(settings.concurrency),
            queue: Arc::new(Semaphore::new(settings.queue)),
            deferred: Notify::new(),
            taken_up: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }
    }

    /// Waits until one more cleanup may be called.
    pub(super) async fn call(&self) -> SemaphorePermit<'_> {
        self.calls.acquire().await.expect("the semaphore is never closed")
    }

    /// A permit to wait in memory, if one is free.
    pub(super) fn try_queue(&self) -> Option<QueuePermit> {
        Arc::clone(&self.queue).try_acquire_owned().ok().map(QueuePermit)
    }

    /// Waits for a permit to wait in memory.
    pub(super) async fn queue(&self) -> QueuePermit {
        let permit = Arc::clone(&self.queue).acquire_owned().await;
        QueuePermit(permit.expect("the semaphore is never closed"))
    }

    /// Whether this is the first time that the API's backlog is taken up.
    pub(super) fn take_up(&self) -> bool {
        !self.taken_up.swap(true, Ordering::Relaxed)
    }

    /// Leaves what is still owed to the next start: the function failed too often during the drain.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Notes that the journal may hold another cleanup that can be delivered.
    pub(super) fn defer(&self) {
        self.deferred.notify_one();
    }

    /// Waits until the journal may hold a cleanup that can be delivered.
    pub(super) async fn deferred(&self) {
        // The end of the interval is as good a reason to read the journal.
        let _ = timeout(READ_INTERVAL, self.deferred.notified()).await;
    }
}
