//! `[connection]`: how each connection is treated.

use std::time::Duration;

use daemon::settings::{Section, bytes, count, duration};

use super::{ApiSettings, DAY, GIB, MILLISECOND};

/// The least that `receive_memory` is when it is not set.
const RECEIVE_MEMORY: usize = 64 << 20;

/// The settings of each connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionSettings {
    /// `max`: connections at once; the next one is refused with 503.
    pub max: usize,
    /// `ping_interval`: a client that has sent nothing for this long is pinged.
    pub ping_interval: Duration,
    /// `pong_timeout`: a client that sends nothing for this long after a ping is taken as lost.
    pub pong_timeout: Duration,
    /// `write_timeout`: a client is closed if it reads nothing for this long, or reads slower than
    /// 64 KiB per this time.
    pub write_timeout: Duration,
    /// `read_timeout`: a client is closed if a message that it has begun comes slower than 64 KiB
    /// per this time.
    pub read_timeout: Duration,
    /// `close_timeout`: how long the client has to answer a Close, once it has read what was
    /// written before the Close.
    pub close_timeout: Duration,
    /// `receive_queue`: bytes of received messages that wait for transmit. When they are more, the
    /// client is not read from.
    pub receive_queue: usize,
    /// `receive_memory`: bytes of the messages of all connections together, from their first bytes
    /// until their calls have ended. One API may take half.
    pub receive_memory: Option<usize>,
    /// `send_queue`: bytes of pushed messages that wait for the client. More wait only while it
    /// reads.
    pub send_queue: usize,
}

impl ConnectionSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let time = duration(MILLISECOND..=DAY);
        let queue = bytes(1..=GIB);
        Self {
            max: section.read_or("max", &count(1..=10_000_000), "15000"),
            ping_interval: section.read_or("ping_interval", &time, "25s"),
            pong_timeout: section.read_or("pong_timeout", &time, "20s"),
            write_timeout: section.read_or("write_timeout", &time, "30s"),
            read_timeout: section.read_or("read_timeout", &time, "30s"),
            close_timeout: section.read_or("close_timeout", &time, "5s"),
            receive_queue: section.read_or("receive_queue", &queue, "64KiB"),
            receive_memory: section.read_derived(
                "receive_memory",
                &bytes(1..=64 * GIB),
                "64MiB, or 4 times the largest max_message if that is more",
            ),
            send_queue: section.read_or("send_queue", &queue, "1MiB"),
        }
    }

    /// What is wrong with `receive_memory`, which is fixed at the start with `apis`, when the APIs
    /// are `new`.
    pub(crate) fn problem_with(&self, apis: &[ApiSettings], new: &[ApiSettings]) -> Option<String> {
        let memory = self.receive_memory(apis);
        let largest = new.iter().max_by_key(|api| api.max_message)?;
        let (id, needed) = (&largest.id, 4 * largest.max_message);
        (memory < needed).then(|| {
            format!("is {memory}; api {id:?} with its max_message needs {needed}, 4 times as much")
        })
    }

    /// The bytes of the messages of all connections. The half of one API must hold two of its
    /// largest messages.
    pub(crate) fn receive_memory(&self, apis: &[ApiSettings]) -> usize {
        let largest = apis.iter().map(|api| api.max_message).max().unwrap_or(0);
        self.receive_memory.unwrap_or((4 * largest).max(RECEIVE_MEMORY))
    }
}
