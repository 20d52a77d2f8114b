//! The thread that owns the journal's file.
//!
//! Debts and changes that wait are written in one transaction, which costs as much as one of them.
//! A new debt is written at once, and its owner is notified when it is on disk; if it cannot be
//! written, its connection is refused. A change waits for the flush delay; if it cannot be written,
//! it is kept and tried again. After a failure the writer tries on, so that it is known when the
//! journal can be used again, although nobody may ask.

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
    error::{JournalFailed, StoreError},
    health::Health,
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
    health: Arc<Health>,
}

impl Writer {
    /// Starts a thread that runs until all senders of `commands` are gone and everything is
    /// written. The receiver is notified then.
    pub(super) fn start(
        store: Store,
        pending: Arc<Pending>,
        commands: mpsc::Receiver<Command>,
        health: Arc<Health>,
    ) -> io::Result<oneshot::Receiver<()>> {
        let runtime = Handle::current();
        let mut writer = Self { store, pending, commands, runtime, health };
        let (sender, done) = oneshot::channel();
        // The thread is not joined, because a disk that hangs must not keep the process.
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            // Nothing of the writer is used after a panic.
            match catch_unwind(AssertUnwindSafe(|| writer.run())) {
                Ok(()) => {
                    if let Err(error) = writer.store.close() {
                        error!(%error, "the journal could not be closed");
                    }
                }
                Err(_) => error!(
                    "the thread of the journal has panicked: new connections are refused until a restart"
                ),
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
        let delay = if self.is_failing() { RETRY_PAUSE } else { FLUSH_DELAY };
        let received = async { timeout(delay, self.commands.recv_many(batch, BATCH_MAX)).await };
        if let Ok(count) = self.runtime.block_on(received) {
            return count > 0;
        }
        if self.is_failing() || !self.pending.fall_asleep() {
            return true;
        }
        // Nobody waits now.
        let outcome = self.store.reach_disk();
        self.note(outcome);
        if self.is_failing() {
            return true;
        }
        self.runtime.block_on(self.commands.recv_many(batch, BATCH_MAX)) > 0
    }

    fn work(&mut self, batch: &mut Vec<Command>) {
        if batch.is_empty() && self.is_failing() {
            return self.try_again();
        }
        let mut debts = Vec::new();
        for command in batch.drain(..) {
            match command {
                Command::Owe(debt, written) => debts.push((debt, written)),
                Command::Wake => {}
                Command::Query(query) => {
                    // A query has to see the commands before it. If they cannot be written, the
                    // query is dropped, and the caller learns from that that it was not carried
                    // out.
                    let places = self.check_places();
                    self.note(places);
                    if self.write(&mut debts) {
                        let outcome = query(&mut self.store);
                        self.note(outcome.map_err(StoreError::from));
                    }
                }
            }
        }
        self.write(&mut debts);
    }

    /// Tries whether a debt can be written, since nobody asks while the gateway is not ready.
    fn try_again(&mut self) {
        self.write_with(&mut Vec::new(), Some(&Debt::for_a_trial()));
    }

    /// Writes the debts and all changes. Returns whether nothing is left.
    fn write(&mut self, debts: &mut Vec<(Debt, Written)>) -> bool {
        self.write_with(debts, None)
    }

    fn write_with(&mut self, debts: &mut Vec<(Debt, Written)>, trial: Option<&Debt>) -> bool {
        // The connection of a debt that nobody waits for has been refused.
        debts.retain(|(_, written)| !written.is_closed());
        let changes = self.pending.take();
        if debts.is_empty() && changes.is_empty() && trial.is_none() {
            return true;
        }
        let places = self.check_places();
        if places.is_err() {
            // Cleanups are delivered and settled still.
            refuse(debts);
        }
        let new = debts.iter().map(|(debt, _)| debt);
        let outcome = self.store.apply(new, changes.values(), trial);
        let is_written = outcome.is_ok();
        let is_unmarked = matches!(outcome, Err(StoreError::Unmarked { .. }));
        self.note_write(outcome.and(places));
        if !is_written {
            self.pending.put_back(changes);
        }
        for (debt, written) in mem::take(debts) {
            let outcome = if is_written { Ok(()) } else { Err(JournalFailed) };
            if written.send(outcome).is_err() && is_written || is_unmarked {
                // The caller has stopped waiting or was refused, and has not called register.
                self.pending.add(Change::Settle(debt.key));
            }
        }
        is_written
    }

    /// Fails if the next process would not find what is written.
    fn check_places(&self) -> Result<(), StoreError> {
        let places = self.store.check_places();
        self.health.set_taken(places.is_err());
        places
    }

    /// Notes the outcome of a write. Only a write shows that the journal can be used again, because
    /// a read may need no disk.
    fn note_write(&self, outcome: Result<(), StoreError>) {
        let is_written = outcome.is_ok();
        self.note(outcome);
        if is_written && self.health.set_failing(false) {
            info!("the journal can be used again");
        }
    }

    /// Logs the first failure, not each one that follows.
    fn note(&self, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome
            && !self.health.set_failing(true)
        {
            let advice = self.store.obstacle().map(|obstacle| obstacle.to_string());
            error!(
                %error,
                advice,
                "the journal cannot be used: connections are refused until it can be again"
            );
        }
    }

    fn is_failing(&self) -> bool {
        self.health.is_failing()
    }
}

fn refuse(debts: &mut Vec<(Debt, Written)>) {
    for (_, written) in debts.drain(..) {
        // A caller that has stopped waiting has refused the connection already.
        let _ = written.send(Err(JournalFailed));
    }
}
