//! Reports of code that cannot be used: in the log of its function, and in turns in that of the
//! runner, since a function may be able to change its code at any rate.

use std::{sync::Arc, time::Duration};

use daemon::telemetry::LineTurns;
use tokio::time::Instant;
use tracing::error;

use crate::invocation::{Fault, RecentLines, log_trace_of_new_code};

/// The time in which the log of the runner has one report of a function.
const REPORT_PAUSE: Duration = Duration::from_secs(10);

/// Writes reports.
#[derive(Debug)]
pub(super) struct Reports(LineTurns<String>);

impl Reports {
    pub(super) fn new() -> Self {
        Self(LineTurns::new(REPORT_PAUSE))
    }

    /// Says `what` of the code of the function `name`, which has the log `lines`, and why.
    pub(super) fn write(&self, name: &str, lines: &RecentLines, what: &str, fault: &Fault) {
        let (error, trace) = (fault.message(), fault.trace_lines());
        let text = format!("{what}: {error}\n{}", fault.trace());
        lines.push(&text.lines().map(Arc::from).collect::<Vec<_>>());
        let Some(left_out) = self.0.turn(&name.to_owned(), Instant::now()) else { return };
        let left_out = (left_out > 0).then_some(left_out);
        // A trace of one line is a field. The lines of a longer one stay lines.
        let one_line = Some(fault.trace()).filter(|line| trace.is_empty() && !line.is_empty());
        error!(function.name = name, error, trace = one_line, left_out, "{what}");
        log_trace_of_new_code(name, fault);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::Mutex,
    };

    use shared::invocation::InvocationFault;
    use tokio::time::advance;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reports_of_the_code_of_one_function_come_in_turns() {
        let log = Log::default();
        let to = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || to.clone());
        let _logging = tracing::subscriber::set_default(subscriber.finish());
        let (reports, lines) = (Reports::new(), RecentLines::of_function());
        let fault = Fault::new(InvocationFault::LoadFailed, "it\nbreaks");
        let fault = fault.with_trace("first\nERROR last".to_owned());
        for _ in 0..3 {
            reports.write("a", &lines, "code does not start", &fault);
        }
        reports.write("b", &lines, "code does not start", &fault);
        advance(REPORT_PAUSE).await;
        reports.write("a", &lines, "code does not start", &fault);
        assert_eq!(lines.text().matches("code does not start").count(), 5);
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let reported: Vec<_> = log.lines().filter(|line| line.contains("does not start")).collect();
        assert_eq!(reported.len(), 3, "{log}");
        let left_out: Vec<_> = reported.iter().map(|line| line.contains("left_out=2")).collect();
        assert_eq!(left_out, [false, false, true], "{log}");
        let trace = "ERROR new_code{function.name=\"a\"}: function: ERROR last";
        assert_eq!(log.matches(trace).count(), 2, "{log}");
        assert_eq!(log.lines().count(), 9, "{log}");
    }
}
