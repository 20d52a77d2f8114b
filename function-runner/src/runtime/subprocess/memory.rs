//! How much memory a child and its descendants use, read from `/proc`.
//!
//! Only private memory counts. Pages of an interpreter's file are shared by all instances, and the
//! system can drop them.

use std::fs;

/// How many processes are looked at. A function that forks without end must not cost the runner
/// much time.
const PROCESSES_MAX: usize = 64;
const PAGE_BYTES: u64 = 4096;

/// The private memory of the process `id` and its descendants, in bytes.
pub(super) fn own(id: i32) -> u64 {
    let mut processes = vec![id.to_string()];
    let mut bytes = 0;
    let mut next = 0;
    while next < processes.len().min(PROCESSES_MAX) {
        let id = &processes[next];
        bytes += own_of(id).unwrap_or(0);
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        processes.extend(children.split_ascii_whitespace().map(str::to_owned));
        next += 1;
    }
    bytes
}

/// The most memory that the process `id` alone has ever had, in bytes.
pub(super) fn peak(id: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn own_of(id: &str) -> Option<u64> {
    let pages = fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
    let mut pages = pages.split(' ').skip(1).map(|pages| pages.parse::<u64>().ok());
    let (resident, of_files) = (pages.next()??, pages.next()??);
    Some(resident.saturating_sub(of_files) * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{own, peak};

    #[test]
    fn this_process_uses_memory() {
        let id = std::process::id().cast_signed();
        assert!(own(id) > 1 << 16);
        assert!(peak(id).unwrap() > 1 << 20);
    }

    #[test]
    fn a_process_that_is_not_there_uses_none() {
        assert_eq!((own(-1), peak(-1)), (0, None));
    }
}
