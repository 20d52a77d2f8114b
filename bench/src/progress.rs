//! The progress line on stderr.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use tokio::{task::JoinHandle, time::sleep};

use crate::latencies::Latencies;

/// Shows the count of each second, until it is dropped.
#[derive(Debug)]
pub(crate) struct ProgressLine(JoinHandle<()>);

impl ProgressLine {
    pub(crate) fn of(label: String, latencies: Latencies) -> Self {
        Self(tokio::spawn(async move {
            let mut before = 0;
            for second in 1_u32.. {
                sleep(Duration::from_secs(1)).await;
                let count = latencies.count();
                if count > 0 {
                    say(&format!("{label}: {second} s, {}/s", count - before));
                }
                before = count;
            }
        }))
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.0.abort();
        if stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }
}

/// Writes a line to stderr. On a terminal the next line replaces it.
pub(crate) fn say(line: &str) {
    if stderr().is_terminal() { eprint!("\r\x1b[K{line}") } else { eprintln!("{line}") }
}
