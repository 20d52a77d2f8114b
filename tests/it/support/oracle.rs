//! What must hold after every test, judged by what the functions saw.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::Notify;

use super::{
    backend::{Call, Reply},
    soon,
};

/// Counts calls by connection.
#[derive(Default)]
pub(crate) struct Oracle {
    connections: Mutex<HashMap<String, Seen>>,
    calls: AtomicUsize,
    progress: Notify,
}

#[derive(Default, Debug)]
struct Seen {
    owed: bool,
    registers_running: usize,
    transmits_running: usize,
    cleanups: usize,
    cleanups_done: usize,
    early_cleanup: bool,
}

impl Oracle {
    pub(crate) fn called(&self, call: &Call) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut connections = self.connections.lock().unwrap();
        let seen = connections.entry(call.id().to_owned()).or_default();
        match call.function.as_str() {
            // Owed from here on: it may have run, whatever it answers.
            "register" => {
                seen.owed = true;
                seen.registers_running += 1;
            }
            "transmit" => {
                assert_eq!(seen.transmits_running, 0, "two messages of one connection at once");
                seen.transmits_running += 1;
            }
            "cleanup" => {
                seen.cleanups += 1;
                seen.early_cleanup |= seen.registers_running + seen.transmits_running > 0;
            }
            other => panic!("unknown function {other}"),
        }
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits until there have been so many calls.
    pub(crate) async fn called_times(&self, calls: usize) {
        loop {
            let progress = self.progress.notified();
            if self.calls() >= calls {
                return;
            }
            soon("one more call", progress).await;
        }
    }

    pub(crate) fn answered(&self, call: &Call, reply: &Reply) {
        let mut connections = self.connections.lock().unwrap();
        let seen = connections.get_mut(call.id()).unwrap();
        if call.function == "register" {
            seen.registers_running -= 1;
        }
        match call.function.as_str() {
            "register" if not_run(reply) || refuses(reply) => seen.owed = false,
            "transmit" => seen.transmits_running -= 1,
            "cleanup" if reply.status == 200 => seen.cleanups_done += 1,
            _ => {}
        }
        self.progress.notify_waiters();
    }

    /// Waits until every register that may have run has a cleanup that succeeded.
    pub(crate) async fn all_cleaned_up(&self) {
        loop {
            let progress = self.progress.notified();
            let owing = self.owing();
            if owing == 0 {
                return;
            }
            soon(&format!("one of {owing} cleanups"), progress).await;
        }
    }

    /// How many connections have had no cleanup that succeeded, and should.
    pub(crate) fn owing(&self) -> usize {
        let connections = self.connections.lock().unwrap();
        connections.values().filter(|seen| seen.owed && seen.cleanups_done == 0).count()
    }

    /// Every register that may have run has exactly one cleanup that succeeded, and none has one
    /// before its register and its last transmit had ended.
    pub(crate) fn check(&self) {
        for (id, seen) in &*self.connections.lock().unwrap() {
            assert_eq!(seen.cleanups_done, usize::from(seen.owed), "cleanups of {id}: {seen:?}");
            assert!(!seen.early_cleanup, "cleanup of {id} before its last call ended: {seen:?}");
        }
    }

    /// The same after a crash, which may make a cleanup come twice, or before its register had
    /// been called.
    pub(crate) fn check_at_least_once(&self) {
        for (id, seen) in &*self.connections.lock().unwrap() {
            assert!(seen.cleanups_done > 0 || !seen.owed, "cleanups of {id}: {seen:?}");
            assert!(!seen.early_cleanup, "cleanup of {id} before its last call ended: {seen:?}");
        }
    }

    /// How many connections have been registered.
    pub(crate) fn registered(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// How many connections have been cleaned up.
    pub(crate) fn cleaned_up(&self) -> usize {
        self.connections.lock().unwrap().values().filter(|seen| seen.cleanups_done > 0).count()
    }
}

fn not_run(reply: &Reply) -> bool {
    [429, 432, 503].contains(&reply.status)
}

/// The function itself says that there is nothing to clean up.
fn refuses(reply: &Reply) -> bool {
    let mut body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    if let Value::String(text) = &body {
        body = serde_json::from_str(text).unwrap_or(Value::Null);
    }
    reply.status == 200 && body["errNo"].as_i64().is_some_and(|err_no| err_no != 0)
}
