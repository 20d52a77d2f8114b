//! The thread that owns the journal's file.
//!
//! Debts and changes that wait are written in one transaction, which costs as much as one of them. A
//! new debt is written at once, and its owner is notified when it is on disk; if it cannot be written,
//! its connection is refused. A change waits for the flush delay; if it cannot be written, it is kept
//! and tried again.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::{error, info};

use super::{
    command::{Command, Written},
    error::JournalFailed,
    pending::Pending,
    record::{Change, Debt},
    store::Store,
};

/// Commands of one transaction.
const BATCH_MAX: usize = 512;
/// How long changes wait for others that are written with them.
const FLUSH_DELAY: Duration = Duration::from_millis(5);
/// The pause before changes are tried again that could not be written. A new command ends it.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    store: Store,
    pending: Arc<Pending>,
    commands: mpsc::Receiver<Command>,
    runtime: Handle,
    is_failing: bool,
}

impl Writer {
    /// Starts a thread that runs until all senders of `commands` are gone and everything is written.
    /// The receiver is notified then.
    pub(super) fn start(
        store: Store,
        pending: Arc<Pending>,
        commands: mpsc::Receiver<Command>,
    ) -> io::Result<oneshot::Receiver<()>> {
        let runtime = Handle::current();
        let mut writer = Self { store, pending, commands, runtime, is_failing: false };
        let (sender, done) = oneshot::channel();
        // The thread is not joined, because a disk that hangs must not keep the process.
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            // Nothing of the writer is used after a panic.
            let ended = catch_unwind(AssertUnwindSafe(|| writer.run()));
            drop(writer);
            if ended.is_err() {
                error!("the thread of the journal has panicked: new connections are refused until a restart");
            }
            // The journal may have been dropped.
            let _ = sender.send(());
        })?;
        Ok(done)
    }

    fn run(&mut self) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while self.receive(&mut batch) {
            self.work(&mut batch);
        }
        self.write(&mut Vec::new());
    }

    /// Waits for commands or changes. Returns false when no more can come.
    fn receive(&mut self, batch: &mut Vec<Command>) -> bool {
        // More will come soon after the last work. A writer that waits for it need not be woken.
        let delay = if self.is_failing { RETRY_PAUSE } else { FLUSH_DELAY };
        let received = async { timeout(delay, self.commands.recv_many(batch, BATCH_MAX)).await };
        if let Ok(count) = self.runtime.block_on(received) {
            return count > 0;
        }
        if !self.pending.fall_asleep() {
            return true;
        }
        self.runtime.block_on(self.commands.recv_many(batch, BATCH_MAX)) > 0
    }

    fn work(&mut self, batch: &mut Vec<Command>) {
        let mut debts = Vec::new();
        for command in batch.drain(..) {
            match command {
                Command::Owe(debt, written) => debts.push((debt, written)),
                Command::Wake => {}
                Command::Query(query) => {
                    // A query has to see the commands before it. If they cannot be written, the query
                    // is dropped, and the caller learns from that that it was not carried out.
                    if self.write(&mut debts) {
                        let outcome = query(&mut self.store);
                        self.note(outcome);
                    }
                }
            }
        }
        self.write(&mut debts);
    }

    /// Writes the debts and all changes. Returns whether nothing is left.
    fn write(&mut self, debts: &mut Vec<(Debt, Written)>) -> bool {
        // The connection of a debt that nobody waits for has been refused.
        debts.retain(|(_, written)| !written.is_closed());
        let changes = self.pending.take();
        if debts.is_empty() && changes.is_empty() {
            return true;
        }
        let outcome = self.store.apply(debts.iter().map(|(debt, _)| debt), changes.values());
        let is_written = self.note_write(outcome);
        if !is_written {
            self.pending.put_back(changes);
        }
        for (debt, written) in mem::take(debts) {
            let outcome = if is_written { Ok(()) } else { Err(JournalFailed) };
            if written.send(outcome).is_err() && is_written {
                // The caller has stopped waiting, and has not called register.
                self.pending.add(Change::Settle(debt.key));
            }
        }
        is_written
    }

    /// Notes the outcome of a write, and returns whether it succeeded. Only a write shows that the
    /// journal can be used again, because a read may need no disk.
    fn note_write(&mut self, outcome: rusqlite::Result<()>) -> bool {
        let is_written = outcome.is_ok();
        self.note(outcome);
        if is_written && mem::take(&mut self.is_failing) {
            info!("the journal can be used again");
        }
        is_written
    }

    /// Logs the first failure, not each one that follows.
    fn note(&mut self, outcome: rusqlite::Result<()>) {
        if let Err(error) = outcome
            && !mem::replace(&mut self.is_failing, true)
        {
            error!(
                %error,
                "the journal cannot be used: connections are refused until it can be again"
            );
        }
    }
}
