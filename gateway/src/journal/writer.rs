//! The thread that owns the journal's file.
//!
//! All that waits is written in one transaction, so that its cost is shared, and told when it is
//! on disk. A change that could not be written is kept and tried again: it says what has happened
//! already. A new debt is not: its connection is refused.

use std::{io, mem, thread, thread::JoinHandle, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::{error, info};

use super::{JournalFailed, record::Change, store::Store};

/// Commands of one transaction.
const BATCH_MAX: usize = 512;
/// The pause before changes that failed are tried again, if nothing new comes before.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What the thread is asked to do, in order.
pub(super) enum Command {
    /// Writes a debt down and says whether it is on disk.
    Owe(Change, oneshot::Sender<Result<(), JournalFailed>>),
    Change(Change),
    Query(Query),
}

/// Answers by itself; the error is for the log.
pub(super) type Query = Box<dyn FnOnce(&mut Store) -> rusqlite::Result<()> + Send>;

pub(super) struct Writer {
    store: Store,
    /// Changes that are not on disk yet. No more than there are debts, since without a disk to
    /// write them to no debts are added.
    late: Vec<Change>,
    is_failing: bool,
}

impl Writer {
    /// Runs until all senders of `commands` are gone and everything is done.
    pub(super) fn start(
        store: Store,
        mut commands: mpsc::Receiver<Command>,
    ) -> io::Result<JoinHandle<()>> {
        let runtime = Handle::current();
        let mut writer = Self { store, late: Vec::new(), is_failing: false };
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut batch = Vec::with_capacity(BATCH_MAX);
            while writer.receive(&runtime, &mut commands, &mut batch) {
                writer.work(&mut batch);
            }
            writer.write(&mut Vec::new());
        })
    }

    /// Whether there may be more to come.
    fn receive(
        &self,
        runtime: &Handle,
        commands: &mut mpsc::Receiver<Command>,
        batch: &mut Vec<Command>,
    ) -> bool {
        let received = commands.recv_many(batch, BATCH_MAX);
        if self.late.is_empty() {
            return runtime.block_on(received) > 0;
        }
        let in_time = async { timeout(RETRY_PAUSE, received).await };
        runtime.block_on(in_time).is_err() || !batch.is_empty()
    }

    fn work(&mut self, batch: &mut Vec<Command>) {
        let mut debts = Vec::new();
        for command in batch.drain(..) {
            match command {
                Command::Owe(debt, written) => debts.push((debt, written)),
                Command::Change(change) => self.late.push(change),
                Command::Query(query) => {
                    // It sees what was asked for before it.
                    self.write(&mut debts);
                    let outcome = query(&mut self.store);
                    self.note(outcome);
                }
            }
        }
        self.write(&mut debts);
    }

    fn write(&mut self, debts: &mut Vec<(Change, oneshot::Sender<Result<(), JournalFailed>>)>) {
        if debts.is_empty() && self.late.is_empty() {
            return;
        }
        let changes = debts.iter().map(|(debt, _)| debt).chain(&self.late);
        let outcome = self.store.apply(changes);
        let is_written = self.note(outcome);
        if is_written {
            self.late.clear();
        }
        for (_, written) in mem::take(debts) {
            // Whoever asked may have gone.
            let _ = written.send(if is_written { Ok(()) } else { Err(JournalFailed) });
        }
    }

    /// Logs the first failure and the end of it, not each that comes between. Whether it is a
    /// success.
    fn note(&mut self, outcome: rusqlite::Result<()>) -> bool {
        let was_failing = mem::replace(&mut self.is_failing, outcome.is_err());
        match outcome {
            Ok(()) if was_failing => info!("the journal can be used again"),
            Ok(()) => {}
            Err(error) if !was_failing => error!(
                %error,
                "the journal cannot be used: connections are refused until it can be again"
            ),
            Err(_) => {}
        }
        !self.is_failing
    }
}
