//! The thread that owns the journal's file.
//!
//! All that waits is written in one transaction, so that its cost is shared. A new debt is written
//! at once, and whoever owes it told when it is on disk; if it cannot be, its connection is
//! refused. A change waits for company, and one that could not be written is kept and tried again.

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
/// How long changes wait for more to be written with.
const COMPANY: Duration = Duration::from_millis(5);
/// The pause before changes that failed are tried again, if nothing new comes before.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    store: Store,
    pending: Arc<Pending>,
    commands: mpsc::Receiver<Command>,
    runtime: Handle,
    is_failing: bool,
}

impl Writer {
    /// Runs until all senders of `commands` are gone and everything is done; tells then.
    pub(super) fn start(
        store: Store,
        pending: Arc<Pending>,
        commands: mpsc::Receiver<Command>,
    ) -> io::Result<oneshot::Receiver<()>> {
        let runtime = Handle::current();
        let mut writer = Self { store, pending, commands, runtime, is_failing: false };
        let (sender, done) = oneshot::channel();
        // Not joined: one that waits for a disk that hangs must not keep the process.
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            // Nothing of it is used after a panic.
            let ended = catch_unwind(AssertUnwindSafe(|| writer.run()));
            drop(writer);
            if ended.is_err() {
                error!("the journal has broken: no connection is taken in until a restart");
            }
            // Nobody may wait.
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

    /// Waits until there is something to do. False when there will never be any more.
    fn receive(&mut self, batch: &mut Vec<Command>) -> bool {
        // Who has just worked will have more to do soon, and need not be woken for each.
        let patience = if self.is_failing { RETRY_PAUSE } else { COMPANY };
        let received = async { timeout(patience, self.commands.recv_many(batch, BATCH_MAX)).await };
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
                    // It has to see what was asked for before it. Whoever asked learns from the
                    // dropped query that it was not carried out.
                    if self.write(&mut debts) {
                        let outcome = query(&mut self.store);
                        self.note(outcome);
                    }
                }
            }
        }
        self.write(&mut debts);
    }

    /// Writes all that waits. Whether nothing is left.
    fn write(&mut self, debts: &mut Vec<(Debt, Written)>) -> bool {
        // Those that nobody waits for any more have been refused.
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
                // Whoever asked has stopped waiting, and started nothing.
                self.pending.add(Change::Settle(debt.key));
            }
        }
        is_written
    }

    /// Whether it was written. Only that shows that the journal can be used again: what is read may
    /// need no disk.
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
