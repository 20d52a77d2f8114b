//! What must hold after every test, judged by what the functions saw.

use std::{collections::HashMap, sync::Mutex};

use serde_json::Value;

use super::backend::{Call, Reply};

/// Counts calls by connection.
#[derive(Default)]
pub(crate) struct Oracle {
    connections: Mutex<HashMap<String, Seen>>,
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
    }

    /// Every register that may have run has exactly one cleanup that succeeded, and none has one
    /// before its register and its last transmit had ended.
    pub(crate) fn check(&self) {
        for (id, seen) in &*self.connections.lock().unwrap() {
            assert_eq!(seen.cleanups_done, usize::from(seen.owed), "cleanups of {id}: {seen:?}");
            assert!(!seen.early_cleanup, "cleanup of {id} before its last call ended: {seen:?}");
        }
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
