//! `[connection]`: how each connection is treated.

use std::time::Duration;

use daemon::settings::{Section, bytes, count, duration};

use super::{DAY, GIB, MILLISECOND};

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
    /// `close_timeout`: how long the client has to answer a Close, once it has read what was written
    /// before the Close.
    pub close_timeout: Duration,
    /// `receive_queue`: bytes of received messages that wait for transmit. When they are more, the
    /// client is not read from.
    pub receive_queue: usize,
    /// `send_queue`: bytes of pushed messages that wait for the client.
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
            close_timeout: section.read_or("close_timeout", &time, "5s"),
            receive_queue: section.read_or("receive_queue", &queue, "64KiB"),
            send_queue: section.read_or("send_queue", &queue, "1MiB"),
        }
    }
}
