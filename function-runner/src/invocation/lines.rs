//! The log lines of an invocation, in the words of SCF (documented), so that a search for lines of
//! SCF finds them here too. All of them are written here: to the log of the process, to the last
//! lines of the function and, if the caller wants them, to those of the invocation.
//!
//! The ids are in the text for such a search, and in the span as fields. The lines that a function
//! writes are in the span too. `MemUsage` is left out for functions in Rust: they share a process,
//! so the memory of one invocation is not known.
//!
//! The line of an error has its stack trace as a text in JSON, which is hard to read.
//! So the lines of the trace follow as lines of the log.
//!
//! A reply may hold what clients say to each other, or a token. Only its caller gets it; the other
//! lines say how long it is.

use std::{sync::Arc, time::Duration};

use daemon::time::milliseconds;
use functions::Context;
use tracing::{Span, debug, error, error_span, info, warn};

use super::{fault::Fault, recent_lines::RecentLines, report::InstanceReport};

/// The target of all lines, for log filters.
const TARGET: &str = "function";
/// How many bytes of a reply, or of an error, a line shows (documented).
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

/// Writes the stack trace of new code of `function` to the log of the process, as lines of the
/// function: no text that it wrote may look like a line of the runner.
pub(crate) fn log_trace_of_new_code(function: &str, fault: &Fault) {
    let span = error_span!(target: TARGET, "new_code", function.name = function);
    span.in_scope(|| {
        for line in fault.trace_lines() {
            error!(target: TARGET, "{line}");
        }
    });
}

impl Lines {
    /// The lines of the invocation `context`. They also go to `invocation`, for its caller.
    pub(crate) fn of_invocation(
        context: &Context,
        function: RecentLines,
        invocation: Option<RecentLines>,
    ) -> Self {
        // At the level of errors, so that every line of the function is in the span, whatever the
        // filter is.
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

    /// The span that the invocation runs in.
    pub(crate) fn span(&self) -> Span {
        self.0.span.clone()
    }

    /// The function is about to run.
    pub(crate) fn start(&self, context: &Context) {
        let line = format!("START RequestId:{}", context.request_id);
        self.0.span.in_scope(|| debug!(target: TARGET, "{line}"));
        self.keep([line]);
    }

    /// An instance has started: for the invocation `request_id`, or to be kept warm.
    pub(crate) fn started(&self, request_id: Option<&str>, duration: Duration) {
        let duration_ms = milliseconds(duration);
        let id = request_id.unwrap_or("none");
        let line = format!("Init Report RequestId:{id} Coldstart:{duration_ms}ms");
        self.0.span.in_scope(|| debug!(target: TARGET, duration_ms, "{line}"));
        self.keep([line]);
    }

    /// The function has written `line`.
    pub(crate) fn own(&self, line: &str) {
        self.0.span.in_scope(|| info!(target: TARGET, "{line}"));
        self.keep([line.to_owned()]);
    }

    /// The function has written `count` lines more than are kept.
    pub(crate) fn left_out(&self, count: usize) {
        let line = format!("{count} more lines left out");
        self.0.span.in_scope(|| warn!(target: TARGET, "{line}"));
        self.keep([line]);
    }

    /// The function did not get the event, and no caller waits for the answer.
    pub(crate) fn not_run(&self, context: &Context, fault: &Fault) {
        let line = failure(&context.request_id, fault);
        self.0.span.in_scope(|| warn!(target: TARGET, "{line}"));
        self.keep([line]);
        self.trace(fault);
    }

    /// The lines of a stack trace, for the operator. The caller has them in the line of the error,
    /// and gets few bytes of its log.
    fn trace(&self, fault: &Fault) {
        let lines: Vec<_> = fault.trace_lines().into_iter().map(Arc::<str>::from).collect();
        self.0.span.in_scope(|| {
            for line in &lines {
                warn!(target: TARGET, "{line}");
            }
        });
        self.0.function.push(&lines);
    }

    /// The function has ended, after `duration`.
    pub(crate) fn end(&self, context: &Context, duration: Duration, ended: &InstanceReport) {
        let id = &context.request_id;
        let (result, for_caller) = match &ended.outcome {
            Ok(reply) => (
                format!("Response RequestId:{id} Bytes:{}", reply.len()),
                format!("Response RequestId:{id} RetMsg:{}", cut(reply)),
            ),
            Err(fault) => (failure(id, fault), failure(id, fault)),
        };
        let end = format!("END RequestId:{id}");
        let duration_ms = milliseconds(duration);
        let memory_mb = context.memory_limit_mb;
        let used = ended.memory_peak.map_or_else(String::new, used);
        let report =
            format!("Report RequestId:{id} Duration:{duration_ms}ms Memory:{memory_mb}MB{used}");
        self.0.span.in_scope(|| match ended.outcome {
            Ok(_) => debug!(target: TARGET, "{result}"),
            Err(_) => warn!(target: TARGET, "{result}"),
        });
        self.0.function.push(&[result.into()]);
        if let Err(fault) = &ended.outcome {
            self.trace(fault);
        }
        self.0.span.in_scope(|| {
            debug!(target: TARGET, "{end}");
            debug!(target: TARGET, duration_ms, "{report}");
        });
        let [end, report] = [end, report].map(Arc::<str>::from);
        self.0.function.push(&[Arc::clone(&end), Arc::clone(&report)]);
        if let Some(invocation) = &self.0.invocation {
            invocation.push(&[for_caller.into(), end, report]);
        }
    }

    fn keep<const N: usize>(&self, lines: [String; N]) {
        let lines = lines.map(Arc::from);
        self.0.function.push(&lines);
        if let Some(invocation) = &self.0.invocation {
            invocation.push(&lines);
        }
    }
}

/// In tenths of a megabyte, as in SCF.
fn used(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!(" MemUsage:{}.{}MB", tenths / 10, tenths % 10)
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
