//! Checks the invariants of every test, from the calls that the functions got.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::Notify;

use super::{
    backend::{FunctionCall, Reply},
    soon,
};

/// Counts calls by connection.
#[derive(Default)]
pub(crate) struct Oracle {
    connections: Mutex<HashMap<String, Seen>>,
    calls: AtomicUsize,
    /// The logical time: the number of calls that have begun or ended.
    now: AtomicUsize,
    progress: Notify,
}

/// The history of one connection. Times are logical times.
#[derive(Default, Debug)]
struct Seen {
    owed: bool,
    registers_running: usize,
    transmits_running: usize,
    /// When the last register or transmit ended.
    work_ended: usize,
    /// When each running cleanup began.
    cleanups_running: VecDeque<usize>,
    cleanups_done: usize,
    /// When the last successful cleanup began.
    cleaned_up: Option<usize>,
    early_cleanup: bool,
}

impl Seen {
    fn is_working(&self) -> bool {
        self.registers_running + self.transmits_running > 0
    }

    /// Whether a cleanup succeeded that began after the end of all other calls.
    fn is_clean(&self) -> bool {
        !self.is_working() && self.cleaned_up.is_some_and(|began| began > self.work_ended)
    }
}

impl Oracle {
    pub(crate) fn called(&self, call: &FunctionCall) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut connections = self.connections.lock().unwrap();
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        let seen = connections.entry(call.id().to_owned()).or_default();
        match call.function.as_str() {
            // A cleanup is owed from here on, because register may have stored something.
            "register" => {
                seen.owed = true;
                seen.registers_running += 1;
            }
            "transmit" => {
                assert_eq!(seen.transmits_running, 0, "two messages of one connection at once");
                seen.transmits_running += 1;
            }
            "cleanup" => {
                seen.cleanups_running.push_back(now);
                seen.early_cleanup |= seen.is_working();
            }
            other => panic!("unknown function {other}"),
        }
    }

    /// The number of calls so far.
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

    pub(crate) fn answered(&self, call: &FunctionCall, reply: &Reply) {
        let mut connections = self.connections.lock().unwrap();
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        let seen = connections.get_mut(call.id()).unwrap();
        match call.function.as_str() {
            "register" => {
                seen.registers_running -= 1;
                seen.work_ended = now;
                seen.owed &= !(not_run(reply) || refuses(reply));
            }
            "transmit" => {
                seen.transmits_running -= 1;
                seen.work_ended = now;
            }
            _ => {
                // If two cleanups of a connection run at once, the older one is assumed to end
                // first.
                let began = seen.cleanups_running.pop_front().unwrap();
                if is_success(reply) {
                    seen.cleanups_done += 1;
                    seen.cleaned_up = Some(began);
                }
            }
        }
        self.progress.notify_waiters();
    }

    /// Waits until every connection whose register may have run has a successful cleanup that began
    /// after register and the last transmit had ended.
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

    /// The number of connections that are owed such a cleanup and have had none.
    pub(crate) fn owing(&self) -> usize {
        let connections = self.connections.lock().unwrap();
        connections.values().filter(|seen| seen.owed && !seen.is_clean()).count()
    }

    /// Every connection whose register may have run has exactly one successful cleanup, and no
    /// cleanup began before register and the last transmit had ended.
    pub(crate) fn check(&self) {
        for (id, seen) in &*self.connections.lock().unwrap() {
            assert_eq!(seen.cleanups_done, usize::from(seen.owed), "cleanups of {id}: {seen:?}");
            assert!(!seen.early_cleanup, "cleanup of {id} before its last call ended: {seen:?}");
            assert!(seen.is_clean() || !seen.owed, "cleanup of {id} came too early: {seen:?}");
        }
    }

    /// Like [`Self::check`], but allows that a cleanup is called twice, as after a crash.
    pub(crate) fn check_at_least_once(&self) {
        for (id, seen) in &*self.connections.lock().unwrap() {
            assert!(seen.is_clean() || !seen.owed, "no cleanup of {id} after all else: {seen:?}");
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

fn is_success(reply: &Reply) -> bool {
    (200..300).contains(&reply.status)
}

fn not_run(reply: &Reply) -> bool {
    [429, 432, 503].contains(&reply.status)
}

/// Whether the function says by its reply that there is nothing to clean up.
fn refuses(reply: &Reply) -> bool {
    let mut body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    if let Value::String(text) = &body {
        body = serde_json::from_str(text).unwrap_or(Value::Null);
    }
    is_success(reply) && body["errNo"].as_i64().is_some_and(|err_no| err_no != 0)
}
