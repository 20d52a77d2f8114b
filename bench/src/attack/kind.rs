//! The kinds of attacks: which peers there are, and what they send.

use std::{fmt::Write, fs::File, net::SocketAddr, path::Path};

use bytes::Bytes;
use clap::ValueEnum;
use tempfile::TempDir;

use super::peers::{Group, Hold};
use crate::target::longhold::{AttackedTarget, OPERATOR};

/// The page that nobody reads.
const PAGE_BYTES: u64 = 20 << 20;

/// What the peers of an attack hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Answers with a page of 20 MB that are not read
    UnreadPages,
    /// Answers to pipelined requests that are not read
    UnreadErrors,
    /// Answers to pushes that are not read
    UnreadPushAnswers,
    /// Pushes whose body does not come
    IdleBodies,
    /// Handshakes of an API whose register does not answer
    SlowRegister,
    /// Requests on the internal listener that break off in their head
    HalfHeads,
    /// Requests to the function-runner whose large body lacks its last byte
    HalfBodies,
    /// WebSocket messages that come one byte a second at their end
    HalfMessages,
    /// Clients of a function that never answers; the gateway may open few files
    HungFunction,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UnreadPages => "unread-pages",
            Self::UnreadErrors => "unread-errors",
            Self::UnreadPushAnswers => "unread-push-answers",
            Self::IdleBodies => "idle-bodies",
            Self::SlowRegister => "slow-register",
            Self::HalfHeads => "half-heads",
            Self::HalfBodies => "half-bodies",
            Self::HalfMessages => "half-messages",
            Self::HungFunction => "hung-function",
        }
    }

    /// How many files the gateway may open.
    pub(super) fn files_max(self) -> u32 {
        match self {
            Self::HungFunction => 1000,
            _ => 20_000,
        }
    }

    /// The peers.
    pub(super) fn groups(self, target: &AttackedTarget) -> Vec<Group> {
        let AttackedTarget { running, internal, runner } = target;
        let public = running.public;
        let peers = |address: SocketAddr, count, hold, first: Vec<u8>| Group {
            address,
            count,
            first: first.into(),
            then: Bytes::new(),
            hold,
        };
        let group = match self {
            Self::UnreadPages => peers(public, 2100, Hold::Unread, get("/large.bin")),
            Self::UnreadErrors => peers(public, 5, Hold::Unread, get("/nothing").repeat(100_000)),
            Self::UnreadPushAnswers => {
                let push = post("/echo", &many_ids(), 0);
                peers(*internal, 40, Hold::Unread, push.repeat(4))
            }
            Self::IdleBodies => peers(*internal, 40, Hold::Reading, head("/echo", 8 << 20)),
            Self::SlowRegister => peers(public, 2100, Hold::Reading, handshake("/attack/slow")),
            Self::HalfHeads => {
                peers(*internal, 4400, Hold::Reading, b"POST /echo HTTP/1.1\r\nHost:".to_vec())
            }
            Self::HalfBodies => {
                let body = vec![b' '; 5 << 20];
                let request = post("/functions/echo/invocations", &body, 1);
                peers(*runner, 60, Hold::Reading, request)
            }
            Self::HalfMessages => Group {
                then: message(1 << 20, 600),
                ..peers(public, 1000, Hold::Dripping, handshake("/bench/echo"))
            },
            Self::HungFunction => Group {
                then: message(10, 0),
                ..peers(public, 200, Hold::Reading, handshake("/attack/hung"))
            },
        };
        vec![group]
    }
}

/// Tables for `gateway.toml`: two APIs whose functions never answer, and a folder with a large
/// page.
pub(super) fn gateway_settings(silent: SocketAddr, pages: &Path) -> String {
    format!(
        r#"
        [static]
        dir = "{}"

        [[api]]
        id = "slow"
        path = "/attack/slow"
        register = "http://{silent}/"
        transmit = "http://{silent}/"

        [[api]]
        id = "hung"
        path = "/attack/hung"
        transmit = "http://{silent}/"
        cleanup = "http://{silent}/"
        timeout = "1s"
        "#,
        pages.display()
    )
}

/// A folder with the large page. The page is a hole in the file, so it takes no space.
pub(super) fn pages() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    File::create(folder.path().join("large.bin"))?.set_len(PAGE_BYTES)?;
    Ok(folder)
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

fn head(path: &str, length: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {OPERATOR}\r\nContent-Length: {length}\r\n\r\n"
    );
    head.into_bytes()
}

/// A request whose body lacks `missing` bytes.
fn post(path: &str, body: &[u8], missing: usize) -> Vec<u8> {
    let mut request = head(path, body.len());
    request.extend_from_slice(&body[..body.len() - missing]);
    request
}

/// A push to as many connections as one push may name. None of them exists.
fn many_ids() -> Vec<u8> {
    let mut ids = String::new();
    for number in 0..10_000 {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(ids, "{comma}\"{number:0>700}\"");
    }
    let push = format!(
        r#"{{"websocket":{{"action":"data send","dataType":"text","data":"x","secConnectionIDs":[{ids}]}}}}"#
    );
    push.into_bytes()
}

fn handshake(path: &str) -> Vec<u8> {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    head.into_bytes()
}

/// A masked text frame of `length` bytes that lacks its last `missing` bytes (RFC 6455, section
/// 5.2).
fn message(length: u32, missing: u32) -> Bytes {
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(length @ ..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&u64::from(length).to_be_bytes());
        }
    }
    // A mask of zeros leaves the payload as it is.
    frame.extend_from_slice(&[0; 4]);
    frame.extend((missing..length).map(|_| b'x'));
    frame.into()
}
