//! Reads the reply of a function out of the body of a request, and checks that it is JSON.

use std::time::Duration;

use bytes::Bytes;
use daemon::body::{BodyError, BodyMemory, BodyRules, HeldBody};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use shared::{invocation::InvocationFault, json_text::json_text};
use tokio::time::timeout;

use crate::invocation::{Fault, event};

/// How many bytes of a reply come before it takes memory that all functions share.
const FREE_BYTES: usize = 64 << 10;
/// How long a child may take for 16 KiB of a large reply while other replies wait for memory.
const SLOW_WHILE_OTHERS_WAIT: Duration = Duration::from_secs(2);
/// Longer than any function may run. The timeout of the function ends the reading of its reply.
const FOREVER: Duration = Duration::from_hours(1);

/// How long a child may take to send a body that is not kept, and how large the body may be. The
/// connection of a longer one ends.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(30);
const REFUSED_BYTES_MAX: usize = 64 << 20;

/// Memory of this many bytes for the replies that are being read, of all functions together.
pub(crate) fn memory(bytes: usize) -> BodyMemory {
    let rules = BodyRules {
        memory_timeout: FOREVER,
        timeout: FOREVER,
        slow: FOREVER,
        slow_while_others_wait: SLOW_WHILE_OTHERS_WAIT,
        free_bytes: FREE_BYTES,
    };
    BodyMemory::with_rules(bytes, rules)
}

/// Reads the body. One that is too large is read to its end too: a child whose connection breaks
/// while it writes would take that for the end of the runner.
pub(super) async fn read<B>(memory: &BodyMemory, mut body: B) -> Result<HeldBody, Fault>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    match memory.read(&mut body, event::BYTES_MAX).await {
        Ok(reply) => Ok(reply),
        Err(BodyError::TooLarge(limit)) => {
            while let Some(frame) = body.frame().await {
                frame.map_err(|_| broke_off())?;
            }
            let message = format!("reply is larger than {limit} bytes");
            Err(Fault::new(InvocationFault::ReplyTooLarge, message))
        }
        Err(BodyError::Broken(_) | BodyError::NotGzip(_)) => Err(broke_off()),
        Err(BodyError::NoMemory | BodyError::NoShare | BodyError::TooSlow) => {
            let message = "reply came too slowly while others waited for memory";
            Err(Fault::raised(message.to_owned()))
        }
    }
}

/// Reads a body that nobody waits for, and keeps nothing of it, for the same reason.
pub(super) async fn refuse(mut body: Incoming) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > REFUSED_BYTES_MAX {
                return;
            }
        }
    };
    // One that takes longer is dropped, and its connection ends.
    let _ = timeout(REFUSED_TIMEOUT, read).await;
}

fn broke_off() -> Fault {
    Fault::raised("reply broke off".to_owned())
}

/// The reply as text, if it is JSON. An empty body counts as `null`.
pub(super) fn check(body: &[u8]) -> Result<String, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok("null".to_owned());
    }
    let problem = match json_text(body) {
        Ok(text) if event::is_json(text) => {
            return Ok(String::from_utf8_lossy(text).into_owned());
        }
        Ok(_) => "answer with JSON",
        Err(problem) => problem,
    };
    // Not shown: it may hold what clients say to each other.
    Err(Fault::raised(format!("reply of {} bytes is not JSON; {problem}", body.len())))
}
