//! The log lines of an invocation, in the words of SCF (documented), so that what searches for
//! them there finds them here. The one way to write them: to the log of the process, to the last
//! lines of the function and, if its caller has asked, to those of the invocation.
//!
//! The ids stand in the text for those searches and in the span as fields; a function's own lines
//! are in the span as well. How much memory one invocation of many in a process has used nobody
//! can know, so `MemUsage` is left out where a process is not an instance.

use std::{sync::Arc, time::Duration};

use functions::Context;
use tracing::{Span, debug, error_span, info, warn};

use super::{fault::Fault, recent_lines::RecentLines, report::InstanceReport};

/// All lines have it, so that a log filter can name them.
const TARGET: &str = "function";
/// Bytes of a reply that a line shows (documented).
const SHOWN_MAX: usize = 8 * 1024;

/// Where the lines of an invocation go, or those of an instance without one. A handle.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    span: Span,
    function: RecentLines,
    invocation: Option<RecentLines>,
}

impl Lines {
    /// The lines of the invocation `context`; also in `invocation`, for its caller.
    pub(crate) fn of_invocation(
        context: &Context,
        function: RecentLines,
        invocation: Option<RecentLines>,
    ) -> Self {
        // It is an error's span because it must be there whenever the function logs anything,
        // whatever the filter lets through.
        let span = error_span!(
            target: TARGET,
            "invocation",
            function.name = context.function_name,
            invocation.id = context.request_id,
        );
        Self(Arc::new(Inner { span, function, invocation }))
    }

    /// The lines of an instance that has no invocation yet.
    pub(crate) fn of_instance(span: Span, function: RecentLines) -> Self {
        Self(Arc::new(Inner { span, function, invocation: None }))
    }

    /// What the invocation runs in.
    pub(crate) fn span(&self) -> Span {
        self.0.span.clone()
    }

    /// The function is about to run.
    pub(crate) fn start(&self, context: &Context) {
        let line = format!("START RequestId:{}", context.request_id);
        self.0.span.in_scope(|| debug!(target: TARGET, "{line}"));
        self.keep([line]);
    }

    /// An instance has started, for the invocation `request_id` if it was not to keep one warm.
    pub(crate) fn started(&self, request_id: Option<&str>, duration: Duration) {
        let duration_ms = millis(duration);
        let id = request_id.unwrap_or("none");
        let line = format!("Init Report RequestId:{id} Coldstart:{duration_ms}ms");
        self.0.span.in_scope(|| debug!(target: TARGET, duration_ms, "{line}"));
        self.keep([line]);
    }

    /// What the function itself has written.
    pub(crate) fn own(&self, line: &str) {
        self.0.span.in_scope(|| info!(target: TARGET, "{line}"));
        self.keep([line.to_owned()]);
    }

    /// The function has written more than is kept.
    pub(crate) fn left_out(&self, count: usize) {
        let line = format!("{count} more lines left out");
        self.0.span.in_scope(|| warn!(target: TARGET, "{line}"));
        self.keep([line]);
    }

    /// The function never had the event, and nobody waits to be told.
    pub(crate) fn not_run(&self, context: &Context, fault: &Fault) {
        let line = failure(&context.request_id, fault);
        self.0.span.in_scope(|| warn!(target: TARGET, "{line}"));
        self.keep([line]);
    }

    /// The function has ended, after `duration`.
    pub(crate) fn end(&self, context: &Context, duration: Duration, ended: &InstanceReport) {
        let id = &context.request_id;
        let result = match &ended.outcome {
            Ok(reply) => format!("Response RequestId:{id} RetMsg:{}", cut(reply)),
            Err(fault) => failure(id, fault),
        };
        let end = format!("END RequestId:{id}");
        let duration_ms = millis(duration);
        let memory_mb = context.memory_limit_mb;
        let used = ended.memory_peak.map_or_else(String::new, used);
        let report =
            format!("Report RequestId:{id} Duration:{duration_ms}ms Memory:{memory_mb}MB{used}");
        self.0.span.in_scope(|| {
            match ended.outcome {
                Ok(_) => debug!(target: TARGET, "{result}"),
                Err(_) => warn!(target: TARGET, "{result}"),
            }
            debug!(target: TARGET, "{end}");
            debug!(target: TARGET, duration_ms, "{report}");
        });
        self.keep([result, end, report]);
    }

    fn keep<const N: usize>(&self, lines: [String; N]) {
        let lines = lines.map(Arc::from);
        self.0.function.push(&lines);
        if let Some(invocation) = &self.0.invocation {
            invocation.push(&lines);
        }
    }
}

/// In tenths of a megabyte, as there.
fn used(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!(" MemUsage:{}.{}MB", tenths / 10, tenths % 10)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn failure(id: &str, fault: &Fault) -> String {
    let result = serde_json::to_string(&fault.to_error_object(id)).expect("it has string keys");
    format!("ERROR RequestId:{id} Result:{}", cut(&result))
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
