//! The log lines of an invocation, in the words of SCF (documented), so that what searches for
//! them there finds them here.
//!
//! The ids stand in the text for those searches and in the span as fields; a function's own lines
//! are in the span as well. How much memory one invocation of many in a process has used nobody
//! can know, so `MemUsage` is left out where a process is not an instance.

use std::time::Duration;

use functions::Context;
use tracing::{Level, Span, debug, enabled, error_span, warn};

use crate::{fault::Fault, runtime::Ended};

/// All lines have it, so that a log filter can name them.
pub(crate) const TARGET: &str = "function";
/// Bytes of a reply that a line shows (documented).
const SHOWN_MAX: usize = 8 * 1024;

/// The span of an invocation. It is an error's span because it must be there whenever the
/// function logs anything, whatever the filter lets through.
pub(crate) fn span(context: &Context) -> Span {
    error_span!(
        target: TARGET,
        "invocation",
        function.name = context.function_name,
        invocation.id = context.request_id,
    )
}

/// The function is about to run.
pub(crate) fn start(context: &Context) {
    debug!(target: TARGET, "START RequestId:{}", context.request_id);
}

/// An instance has started, for the invocation `request_id` if it was not to keep one warm.
pub(crate) fn started(request_id: Option<&str>, duration: Duration) {
    let duration_ms = millis(duration);
    let id = request_id.unwrap_or("none");
    debug!(target: TARGET, duration_ms, "Init Report RequestId:{id} Coldstart:{duration_ms}ms");
}

/// The function has ended, after `duration`.
pub(crate) fn end(context: &Context, duration: Duration, ended: &Ended) {
    let id = &context.request_id;
    match &ended.outcome {
        Ok(reply) => debug!(target: TARGET, "Response RequestId:{id} RetMsg:{}", cut(reply)),
        Err(fault) => failed(id, fault),
    }
    debug!(target: TARGET, "END RequestId:{id}");
    let duration_ms = millis(duration);
    let memory_mb = context.memory_limit_mb;
    let used = ended.memory_peak.map_or_else(String::new, used);
    debug!(
        target: TARGET,
        duration_ms,
        "Report RequestId:{id} Duration:{duration_ms}ms Memory:{memory_mb}MB{used}"
    );
}

/// In tenths of a megabyte, as there.
fn used(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!(" MemUsage:{}.{}MB", tenths / 10, tenths % 10)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn failed(id: &str, fault: &Fault) {
    // Asked first, because the object is not built in the midst of the line.
    if !enabled!(target: TARGET, Level::WARN) {
        return;
    }
    let result = serde_json::to_string(&fault.to_error_object(id)).expect("it has string keys");
    warn!(target: TARGET, "ERROR RequestId:{id} Result:{}", cut(&result));
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_MAX)]
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_MAX, cut};

    #[test]
    fn a_long_reply_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(SHOWN_MAX + 1)).len(), SHOWN_MAX);
        // Three bytes each, and 8192 is not a multiple of three.
        let shown = cut(&"\u{4f60}".repeat(SHOWN_MAX)).to_owned();
        assert_eq!(shown.len(), SHOWN_MAX - 2);
    }
}
