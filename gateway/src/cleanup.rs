//! The cleanup guarantee: whatever register may have started, cleanup ends.
//!
//! An [`Owed`] is made before register is called. However it goes out of scope, the cleanup
//! function is called, again and again until it succeeds or the age limit has passed. The debts
//! live in memory: they end with the process.

use std::{error::Error, sync::Arc, time::Duration};

use shared::connection_id::ConnectionId;
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, error, warn};

use crate::{
    api::Api,
    calls::{Backoff, Call, CallError, Caller, Rest},
    end::End,
    events,
    settings::CleanupSettings,
};

/// The longest pause between attempts while the gateway drains.
const DRAINING_PAUSE: Duration = Duration::from_millis(500);

/// Delivers cleanups; all clones are one delivery.
#[derive(Debug, Clone)]
pub(crate) struct Cleanups {
    caller: Caller,
    tasks: TaskTracker,
    draining: CancellationToken,
    max_age: Duration,
}

/// A cleanup that is owed for one connection.
#[derive(Debug)]
pub(crate) struct Owed {
    debt: Option<Debt>,
    end: End,
    rest: Option<Rest>,
    cleanups: Cleanups,
}

#[derive(Debug)]
struct Debt {
    id: ConnectionId,
    api: Arc<Api>,
}

impl Cleanups {
    pub(crate) fn new(caller: Caller, settings: &CleanupSettings) -> Self {
        Self {
            caller,
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            max_age: settings.max_age,
        }
    }

    /// From now on a cleanup is owed for this connection.
    pub(crate) fn owe(&self, id: ConnectionId, api: Arc<Api>) -> Owed {
        let debt = Some(Debt { id, api });
        Owed { debt, end: End::UNREGISTERED, rest: None, cleanups: self.clone() }
    }

    /// How many are being delivered.
    pub(crate) fn pending(&self) -> usize {
        self.tasks.len()
    }

    /// The gateway drains: what has failed is tried again at once.
    pub(crate) fn hurry(&self) {
        self.draining.cancel();
    }

    /// Waits until nothing is owed. No connection may be left by then.
    pub(crate) async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn deliver(self, debt: Debt, end: End, rest: Option<Rest>) {
        let Some(url) = &debt.api.cleanup else { return };
        if let Some(rest) = rest {
            rest.ended().await;
        }
        let call = Call::new(url, events::cleanup(debt.id, end));
        let give_up = Instant::now() + self.max_age;
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(60));
        loop {
            let Err(error) = self.attempt(&call, &debt.api).await else {
                debug!(connection.id = %debt.id, "cleanup delivered");
                return;
            };
            let pause = backoff.pause();
            if Instant::now() + pause > give_up {
                report_given_up(debt.id, &error);
                return;
            }
            report_failed(debt.id, &error, pause);
            self.pause(pause).await;
        }
    }

    /// A gateway that drains does not sit out a long pause: it may have no other chance.
    async fn pause(&self, pause: Duration) {
        if self.draining.is_cancelled() {
            return sleep(pause.min(DRAINING_PAUSE)).await;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.draining.cancelled() => {}
        }
    }

    async fn attempt(&self, call: &Call, api: &Api) -> Result<(), CallError> {
        let permits = &api.cleanup_permits;
        let _permit = permits.acquire().await.expect("the semaphore is never closed");
        self.caller.call(call, api.settings.timeout).await.map(drop)
    }
}

fn report_failed(id: ConnectionId, error: &CallError, pause: Duration) {
    let source = error.source();
    warn!(connection.id = %id, %error, source, ?pause, "cleanup failed and will be tried again");
}

fn report_given_up(id: ConnectionId, error: &CallError) {
    let source = error.source();
    error!(connection.id = %id, %error, source, "cleanup given up for connection {id}");
}

impl Owed {
    /// The connection has ended: the cleanup can go out, once the call that nobody else waits for
    /// any more has ended too.
    pub(crate) fn end(mut self, end: End, rest: Option<Rest>) {
        self.end = end;
        self.rest = rest;
    }

    /// Nothing was started, so nothing is owed.
    pub(crate) fn forgive(mut self) {
        self.debt = None;
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(debt) = self.debt.take().filter(|debt| debt.api.cleanup.is_some()) {
            let delivery = self.cleanups.clone().deliver(debt, self.end, self.rest.take());
            self.cleanups.tasks.spawn(delivery);
        }
    }
}
