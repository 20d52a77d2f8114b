//! The log lines of an invocation, in the words of SCF (documented), so that what searches for
//! them there finds them here.
//!
//! The ids stand in the text for those searches and in the span as fields; a function's own lines
//! are in the span as well. How much memory one invocation of many in a process has used nobody
//! can know, so `MemUsage` is left out.

use std::time::Duration;

use functions::Context;
use tracing::{Level, Span, debug, enabled, error_span, warn};

use crate::fault::Fault;

/// All lines have it, so that a log filter can name them.
const TARGET: &str = "function";
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

/// The function has ended, after `duration`.
pub(crate) fn end(context: &Context, duration: Duration, outcome: &Result<String, Fault>) {
    let id = &context.request_id;
    match outcome {
        Ok(reply) => debug!(target: TARGET, "Response RequestId:{id} RetMsg:{}", cut(reply)),
        Err(fault) => failed(id, fault),
    }
    debug!(target: TARGET, "END RequestId:{id}");
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let memory_mb = context.memory_limit_mb;
    debug!(
        target: TARGET,
        duration_ms,
        "Report RequestId:{id} Duration:{duration_ms}ms Memory:{memory_mb}MB"
    );
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
