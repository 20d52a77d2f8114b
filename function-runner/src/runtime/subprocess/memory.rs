//! How much memory the processes of an instance use, read from `/proc`.
//!
//! Only private memory counts. Pages of an interpreter's file are shared by all instances, and the
//! system can drop them.

use std::{
    fs,
    time::{Duration, Instant},
};

use tokio::{task::spawn_blocking, time::sleep};

use super::processes::Processes;

/// How often the processes are looked at. One that takes more than its limit within that time is
/// not noticed sooner.
const INTERVAL: Duration = Duration::from_millis(100);
/// A look that takes long is followed by a pause of so many times that long. A function that forks
/// without end must not cost the runner much time.
const PAUSE_PER_LOOK: u32 = 9;

/// Ends when `processes` use more than `limit` bytes together.
pub(super) async fn exceeds(processes: Processes, limit: u64) {
    let mut pause = INTERVAL;
    loop {
        sleep(pause).await;
        let begin = Instant::now();
        let processes = processes.clone();
        // Blocking: there may be very many.
        let used = spawn_blocking(move || own(&processes)).await;
        if used.is_ok_and(|used| used > limit) {
            return;
        }
        pause = INTERVAL.max(begin.elapsed() * PAUSE_PER_LOOK);
    }
}

/// The private memory of all `processes` together, in bytes.
fn own(processes: &Processes) -> u64 {
    processes.recent_ids().into_iter().filter_map(|id| bytes_of(id, "RssAnon:")).sum()
}

/// The most memory that the process `id` alone has ever had, in bytes.
pub(super) fn peak(id: i32) -> Option<u64> {
    bytes_of(id, "VmHWM:")
}

/// The value of the line `name` in the status of the process `id`.
fn bytes_of(id: i32, name: &str) -> Option<u64> {
    parse(&fs::read_to_string(format!("/proc/{id}/status")).ok()?, name)
}

/// The unit there is always a kilobyte, whatever the size of a page is.
fn parse(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::{Processes, own, parse, peak};

    #[test]
    fn this_process_uses_memory() {
        let id = std::process::id().cast_signed();
        assert!(own(&Processes::new(id, None)) > 1 << 16);
        assert!(peak(id).unwrap() > 1 << 20);
    }

    /// As on a machine whose pages have 65536 bytes.
    #[test]
    fn the_size_of_a_page_does_not_matter() {
        let status = "VmHWM:\t    8192 kB\nRssAnon:\t     128 kB\nRssFile:\t      64 kB\n";
        assert_eq!(parse(status, "RssAnon:"), Some(128 << 10));
        assert_eq!(parse(status, "VmHWM:"), Some(8 << 20));
        assert_eq!(parse(status, "RssShmem:"), None);
    }

    #[test]
    fn a_process_that_is_not_there_uses_none() {
        assert_eq!((own(&Processes::new(-1, None)), peak(-1)), (0, None));
    }
}
