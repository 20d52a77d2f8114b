//! How much memory a child and its descendants use, read from `/proc`.
//!
//! Only private memory counts. Pages of an interpreter's file are shared by all instances, and the
//! system can drop them.

use std::fs;

/// How many processes are looked at. A function that forks without end must not cost the runner
/// much time.
const PROCESSES_MAX: usize = 64;
/// How many of their threads are looked at: each can have started processes.
const THREADS_MAX: usize = 512;

/// The private memory of the process `id` and its descendants, in bytes.
pub(super) fn own(id: i32) -> u64 {
    let processes = family(id);
    processes.iter().filter_map(|process| bytes_of(process, "RssAnon:")).sum()
}

/// The most memory that the process `id` alone has ever had, in bytes.
pub(super) fn peak(id: i32) -> Option<u64> {
    bytes_of(&id.to_string(), "VmHWM:")
}

/// The process `id` and its descendants.
fn family(id: i32) -> Vec<String> {
    let mut processes = vec![id.to_string()];
    let mut threads = 0;
    let mut next = 0;
    while next < processes.len() && processes.len() < PROCESSES_MAX {
        let tasks = fs::read_dir(format!("/proc/{}/task", processes[next]));
        for task in tasks.into_iter().flatten().flatten().take(THREADS_MAX - threads) {
            threads += 1;
            // The children that this thread has started.
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            processes.extend(children.split_ascii_whitespace().map(str::to_owned));
        }
        next += 1;
    }
    processes.truncate(PROCESSES_MAX);
    processes
}

/// The value of the line `name` in the status of the process `id`. The unit there is always a
/// kilobyte, whatever the size of a page is.
fn bytes_of(id: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Command, Stdio},
        sync::mpsc,
        thread,
    };

    use super::{family, own, peak};

    #[test]
    fn this_process_uses_memory() {
        let id = std::process::id().cast_signed();
        assert!(own(id) > 1 << 16);
        assert!(peak(id).unwrap() > 1 << 20);
    }

    #[test]
    fn a_process_that_a_thread_has_started_counts() {
        let (started, child) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut child =
                Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            started.send(child.id()).unwrap();
            // The child is that of this thread, as long as the thread lives.
            let _ = ended.recv();
            drop(child.stdin.take());
            child.wait().unwrap();
        });
        let child = child.recv().unwrap().to_string();
        let processes = family(std::process::id().cast_signed());
        drop(end);
        thread.join().unwrap();
        assert!(processes.contains(&child), "{child} is not in {processes:?}");
    }

    #[test]
    fn a_process_that_is_not_there_uses_none() {
        assert_eq!((own(-1), peak(-1)), (0, None));
    }
}
