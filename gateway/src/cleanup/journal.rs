//! The cleanups that are owed, on disk, so that they outlive the process.
//!
//! A debt is written before register is called and erased after its cleanup has succeeded. One
//! that could not be paid within the age limit becomes a dead letter, which stays until an
//! operator deals with it. One thread owns the file ([`writer`]); this is the handle to it.
//! What to do about a debt is not decided here.

mod command;
mod error;
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
    time::Duration,
};

use shared::connection_id::ConnectionId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tracing::error;

pub(crate) use self::error::JournalFailed;
pub use self::error::JournalOpenError;
pub(crate) use self::record::{Counts, DeadLetter, Key, Progress, Record};
use self::{
    command::Command,
    pending::Pending,
    record::{Change, Debt},
    store::Store,
    writer::Writer,
};
use crate::settings::{JournalSettings, JournalSync};

/// Commands that wait for the thread; whoever has one more waits.
const COMMANDS_MAX: usize = 4096;

/// How long anybody waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// The journal; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Mutex<Option<mpsc::Sender<Command>>>,
    pending: Arc<Pending>,
    /// Told when the thread has done everything, and given the file back.
    done: Mutex<Option<oneshot::Receiver<()>>>,
    last_key: AtomicI64,
    sync: JournalSync,
}

impl Journal {
    /// Opens the journal. Everything in it is in the backlog then: this life has started nothing
    /// of it. Must be called within a runtime.
    pub(crate) fn open(settings: &JournalSettings) -> Result<Self, JournalOpenError> {
        let store = Store::open(settings)?;
        let last_key = AtomicI64::new(store.last_key());
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let pending = Arc::new(Pending::default());
        let done = Writer::start(store, Arc::clone(&pending), commands)
            .map_err(JournalOpenError::Thread)?;
        Ok(Self(Arc::new(Inner {
            commands: Mutex::new(Some(sender)),
            pending,
            done: Mutex::new(Some(done)),
            last_key,
            sync: settings.sync,
        })))
    }

    /// Whether what is in it outlives the process.
    pub(crate) fn is_durable(&self) -> bool {
        self.0.sync != JournalSync::Off
    }

    /// Writes a debt down. When this returns it will survive the end of the process.
    pub(crate) async fn owe(&self, id: ConnectionId, api: &str) -> Result<Key, JournalFailed> {
        let key = Key(self.0.last_key.fetch_add(1, Ordering::Relaxed) + 1);
        let (written, answer) = oneshot::channel();
        let command = Command::Owe(Debt { key, id, api: api.into() }, written);
        self.ask(command, answer).await?.map(|()| key)
    }

    /// The debt is paid, or was none.
    pub(crate) fn settle(&self, key: Key) {
        self.change(Change::Settle(key));
    }

    /// How far the delivery has got.
    pub(crate) fn progress(&self, key: Key, progress: Progress) {
        self.change(Change::Progress { key, progress, to_backlog: false });
    }

    /// Nothing in memory stands for this debt any more: it is to be taken out again.
    pub(crate) fn to_backlog(&self, key: Key, progress: Progress) {
        self.change(Change::Progress { key, progress, to_backlog: true });
    }

    /// Makes a dead letter of a debt.
    pub(crate) fn bury(&self, key: Key, progress: Progress, error: String) {
        self.change(Change::Bury { key, progress, error });
    }

    /// A dead letter was tried again, and failed again.
    pub(crate) fn retried(&self, id: ConnectionId, attempts: u32, error: String) {
        self.change(Change::Retried { id, attempts, error });
    }

    /// Erases a dead letter. Whether there was one.
    pub(crate) async fn erase_dead_letter(&self, id: ConnectionId) -> Result<bool, JournalFailed> {
        self.query(move |store| store.erase_dead_letter(id)).await
    }

    /// Makes dead letters of what waits for APIs other than `served` and is older than `max_age`.
    /// How many.
    pub(crate) async fn bury_unserved(
        &self,
        served: Vec<String>,
        max_age: Duration,
    ) -> Result<usize, JournalFailed> {
        self.query(move |store| store.bury_unserved(&served, max_age)).await
    }

    /// Takes up to `limit` debts of an API out of the backlog, the oldest first.
    pub(crate) async fn take_backlog(
        &self,
        api: &str,
        limit: usize,
    ) -> Result<Vec<Record>, JournalFailed> {
        let api = api.to_owned();
        let (sender, answer) = oneshot::channel();
        let query = move |store: &mut Store| {
            let records = store.take_backlog(&api, limit)?;
            // Whoever asked may not wait any more: then nothing in memory stands for them.
            sender.send(records).or_else(|records| store.give_back(&records))
        };
        self.ask(Command::Query(Box::new(query)), answer).await
    }

    /// How many debts of which API are in the backlog.
    pub(crate) async fn backlog(&self) -> Result<Vec<(String, u64)>, JournalFailed> {
        self.query(Store::backlog).await
    }

    /// Up to `limit` dead letters whose ids come after `after`, in the order of their ids.
    pub(crate) async fn dead_letters(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, JournalFailed> {
        self.query(move |store| store.dead_letters(after, limit)).await
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

    /// Whether its thread is there. If not, something in it has broken, and stays so.
    pub(crate) fn is_alive(&self) -> bool {
        self.commands().is_none_or(|commands| !commands.is_closed())
    }

    /// Writes what is left to write, and gives the file back. Nothing is taken any more.
    pub(crate) async fn close(&self) {
        let commands = self.0.commands.lock().expect("no code panics under it").take();
        drop(commands);
        let done = self.0.done.lock().expect("no code panics under it").take();
        if let Some(done) = done
            && timeout(PATIENCE, done).await.is_err()
        {
            error!("the journal hangs: what could not be written is done again by the next start");
        }
    }

    fn change(&self, change: Change) {
        if self.0.pending.add(change)
            && let Some(commands) = self.commands()
        {
            // If there is no room the writer is awake.
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

    /// Sends a command and waits for its answer, but not for a disk that hangs.
    async fn ask<T>(
        &self,
        command: Command,
        mut answer: oneshot::Receiver<T>,
    ) -> Result<T, JournalFailed> {
        let commands = self.commands().ok_or(JournalFailed)?;
        let deadline = Instant::now() + PATIENCE;
        commands.send_timeout(command, PATIENCE).await.map_err(|_| JournalFailed)?;
        if let Ok(answer) = timeout_at(deadline, &mut answer).await {
            return answer.map_err(|_| JournalFailed);
        }
        // From here on it cannot be answered; it may have been at the last moment.
        answer.close();
        answer.try_recv().map_err(|_| JournalFailed)
    }

    fn commands(&self) -> Option<mpsc::Sender<Command>> {
        self.0.commands.lock().expect("no code panics under it").clone()
    }
}
