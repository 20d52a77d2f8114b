//! How much memory a child and its descendants use, as /proc tells.

use std::fs;

/// How deep and how wide to look: a function that forks without end is not to keep us busy.
const PROCESSES_MAX: usize = 64;
const PAGE_BYTES: u64 = 4096;

/// Bytes that the process `id` and its descendants have in memory now.
pub(super) fn resident(id: i32) -> u64 {
    let mut processes = vec![id.to_string()];
    let mut bytes = 0;
    let mut next = 0;
    while next < processes.len().min(PROCESSES_MAX) {
        let id = &processes[next];
        bytes += resident_of(id).unwrap_or(0);
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        processes.extend(children.split_ascii_whitespace().map(str::to_owned));
        next += 1;
    }
    bytes
}

/// The most that the process `id` alone has ever had in memory.
pub(super) fn peak(id: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn resident_of(id: &str) -> Option<u64> {
    let pages = fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{peak, resident};

    #[test]
    fn this_process_uses_memory() {
        let id = std::process::id().cast_signed();
        assert!(resident(id) > 1 << 20);
        assert!(peak(id).unwrap() > 1 << 20);
    }

    #[test]
    fn a_process_that_is_not_there_uses_none() {
        assert_eq!((resident(-1), peak(-1)), (0, None));
    }
}
