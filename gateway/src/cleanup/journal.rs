//! Owed cleanups on disk, so that they survive the process.
//!
//! A debt is a row for one owed cleanup. It is written before register is called, and erased after
//! the cleanup has succeeded. A debt that is older than the age limit becomes a dead letter, which
//! stays until an operator retries or deletes it. One thread owns the file ([`writer`]); this is
//! the handle to the thread. It does not decide what happens to a debt.

mod accept_loss;
mod advice;
mod command;
mod error;
mod health;
mod marker;
mod pending;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use shared::connection_id::ConnectionId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tracing::error;

pub(crate) use self::accept_loss::accept_loss;
pub(crate) use self::error::JournalFailed;
pub use self::error::{Damage, JournalOpenError, Loss};
pub(crate) use self::record::{Counts, DeadLetter, EventSource, Key, Progress, Record, TakenDue};
use self::{
    command::Command,
    health::Health,
    pending::Pending,
    record::{Change, Debt},
    store::Store,
    writer::Writer,
};
use crate::settings::{JournalSettings, JournalSync};

/// No cleanup waits longer for a call. A row that says so was written with another clock.
pub(crate) const WAIT_MAX: Duration = Duration::from_hours(2);

/// Commands in the queue of the thread. A caller waits while the queue is full.
const COMMANDS_MAX: usize = 4096;

/// How long a caller waits for the disk.
const DISK_TIMEOUT: Duration = Duration::from_secs(5);

/// The journal; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Mutex<Option<mpsc::Sender<Command>>>,
    pending: Arc<Pending>,
    /// Notified when the thread has written everything and has closed the file.
    done: Mutex<Option<oneshot::Receiver<()>>>,
    last_key: AtomicI64,
    health: Arc<Health>,
    sync: JournalSync,
}

impl Journal {
    /// Opens the journal. All its debts are in the backlog then, because this process has started
    /// no delivery yet. Must be called within a runtime.
    pub(crate) fn open(settings: &JournalSettings) -> Result<Self, JournalOpenError> {
        let store = Store::open(settings)?;
        let last_key = AtomicI64::new(store.last_key());
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let pending = Arc::new(Pending::default());
        let health = Arc::new(Health::default());
        let done = Writer::start(store, Arc::clone(&pending), commands, Arc::clone(&health))
            .map_err(JournalOpenError::Thread)?;
        Ok(Self(Arc::new(Inner {
            commands: Mutex::new(Some(sender)),
            pending,
            done: Mutex::new(Some(done)),
            last_key,
            health,
            sync: settings.sync,
        })))
    }

    /// Whether the journal survives the process, as far as is known.
    pub(crate) fn is_durable(&self) -> bool {
        self.0.sync != JournalSync::Off && !self.0.health.is_taken()
    }

    /// Writes a debt. It survives the process from the moment when this returns.
    /// A call of the connection may take `run`, if that is known: after a crash it may still run
    /// for so long.
    pub(crate) async fn owe(
        &self,
        id: ConnectionId,
        api: &str,
        run: Option<Duration>,
        event: EventSource,
    ) -> Result<Key, JournalFailed> {
        let key = Key(self.0.last_key.fetch_add(1, Ordering::Relaxed) + 1);
        let (written, answer) = oneshot::channel();
        let command = Command::Owe(Debt { key, id, api: api.into(), run, event }, written);
        self.ask(command, answer).await?.map(|()| key)
    }

    /// Erases a debt: its cleanup has succeeded, or nothing was owed.
    pub(crate) fn settle(&self, key: Key) {
        self.change(Change::Settle(key));
    }

    /// Notes how far the delivery has got.
    pub(crate) fn progress(&self, key: Key, progress: Progress) {
        self.change(Change::Progress { key, progress, to_backlog: false });
    }

    /// Moves a debt to the backlog, where it waits until it is due: no task in memory delivers it
    /// any more.
    pub(crate) fn to_backlog(&self, key: Key, progress: Progress) {
        self.change(Change::Progress { key, progress, to_backlog: true });
    }

    /// Gives a debt up at `now`: makes a dead letter of it.
    pub(crate) fn give_up(&self, key: Key, progress: Progress, error: String, now: SystemTime) {
        self.change(Change::GiveUp { key, progress, error, given_up_at: now });
    }

    /// Notes that another attempt for a dead letter has failed.
    pub(crate) fn retried(&self, id: ConnectionId, attempts: u32, error: String) {
        self.change(Change::Retried { id, attempts, error });
    }

    /// Erases a dead letter, and returns whether there was one.
    pub(crate) async fn erase_dead_letter(&self, id: ConnectionId) -> Result<bool, JournalFailed> {
        self.query(move |store| store.erase_dead_letter(id)).await
    }

    /// Gives up the debts of APIs other than `served` that are older than `max_age` at `now`, and
    /// returns how many there were.
    pub(crate) async fn give_up_unserved(
        &self,
        served: Vec<String>,
        now: SystemTime,
        max_age: Duration,
    ) -> Result<usize, JournalFailed> {
        self.query(move |store| store.give_up_unserved(&served, now, max_age)).await
    }

    /// Takes up to `limit` debts of an API out of the backlog that are due at `now`, those first
    /// that were due first; with `hurry` also those whose last attempt has failed.
    pub(crate) async fn take_due(
        &self,
        api: &str,
        now: SystemTime,
        limit: usize,
        hurry: bool,
    ) -> Result<TakenDue, JournalFailed> {
        let api = api.to_owned();
        let (sender, answer) = oneshot::channel();
        let query = move |store: &mut Store| {
            let taken = store.take_due(&api, now, limit, hurry)?;
            // The caller may have stopped waiting. No task delivers the records then.
            sender.send(taken).or_else(|taken| store.give_back(&taken.records))
        };
        self.ask(Command::Query(Box::new(query)), answer).await
    }

    /// Has the debts of an API wait until `until`, and for as long as its calls may run at least,
    /// whose connections were open when an earlier process was killed. Returns how many there are.
    pub(crate) async fn crashed_wait_until(
        &self,
        api: &str,
        until: SystemTime,
    ) -> Result<usize, JournalFailed> {
        let api = api.to_owned();
        self.query(move |store| store.crashed_wait_until(&api, until)).await
    }

    /// How many debts of which API are in the backlog.
    pub(crate) async fn backlog(&self) -> Result<Vec<(String, u64)>, JournalFailed> {
        self.query(Store::backlog).await
    }

    /// Up to `limit` dead letters in the order of their ids, the first one after `after`; and the
    /// counts at the same moment.
    pub(crate) async fn dead_letters(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<(Counts, Vec<DeadLetter>), JournalFailed> {
        self.query(move |store| Ok((store.counts()?, store.dead_letters(after, limit)?))).await
    }

    pub(crate) async fn dead_letter(
        &self,
        id: ConnectionId,
    ) -> Result<Option<DeadLetter>, JournalFailed> {
        self.query(move |store| store.dead_letter(id)).await
    }

    pub(crate) async fn counts(&self) -> Result<Counts, JournalFailed> {
        self.query(Store::counts).await
    }

    /// Why the journal takes no debts, as far as is known.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        if self.commands().is_some_and(|commands| commands.is_closed()) {
            // A thread that has panicked is not started again.
            Some("the journal has broken")
        } else if self.0.health.is_failing() {
            Some("the journal cannot be used at present")
        } else {
            None
        }
    }

    /// Writes the last changes and closes the file. The journal takes nothing after that.
    pub(crate) async fn close(&self) {
        let commands = self.0.commands.lock().expect("no code panics under it").take();
        drop(commands);
        let done = self.0.done.lock().expect("no code panics under it").take();
        if let Some(done) = done
            && timeout(DISK_TIMEOUT, done).await.is_err()
        {
            error!(
                "the journal did not close in time: the next start repeats what was not written"
            );
        }
    }

    fn change(&self, change: Change) {
        if self.0.pending.add(change)
            && let Some(commands) = self.commands()
        {
            // A writer whose queue is full is awake.
            let _ = commands.try_send(Command::Wake);
        }
    }

    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalFailed> {
        let (sender, answer) = oneshot::channel();
        let query = move |store: &mut Store| query(store).map(|found| drop(sender.send(found)));
        self.ask(Command::Query(Box::new(query)), answer).await
    }

    /// Sends a command and waits for its answer, for as long as a disk may take.
    async fn ask<T>(
        &self,
        command: Command,
        mut answer: oneshot::Receiver<T>,
    ) -> Result<T, JournalFailed> {
        let commands = self.commands().ok_or(JournalFailed)?;
        let deadline = Instant::now() + DISK_TIMEOUT;
        commands.send_timeout(command, DISK_TIMEOUT).await.map_err(|_| JournalFailed)?;
        if let Ok(answer) = timeout_at(deadline, &mut answer).await {
            return answer.map_err(|_| JournalFailed);
        }
        // The answer may have come in the last moment. None can come after this.
        answer.close();
        answer.try_recv().map_err(|_| JournalFailed)
    }

    fn commands(&self) -> Option<mpsc::Sender<Command>> {
        self.0.commands.lock().expect("no code panics under it").clone()
    }
}
