//! Recognises the end of a process whose JavaScript engine found no more room in its heap.
//!
//! The engine has a limit of its own, below that of the instance. It writes why, and aborts.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

/// How V8 begins the line in which it says that it gives up.
const FATAL: [&[u8]; 3] = [b"FATAL ERROR: ", b"# Fatal ", b"Fatal "];
/// What the line has then, in different versions.
const OUT_OF_MEMORY: [&[u8]; 2] = [b"out of memory", b"Allocation failed"];

/// The exit code of a shell whose program was ended by a signal is greater.
const SIGNAL_BASE: i32 = 128;

/// Whether the engine says in this line of output that it is out of memory.
pub(super) fn is_out_of_memory(line: &[u8]) -> bool {
    let has = |what: &&[u8]| line.windows(what.len()).any(|part| part == *what);
    FATAL.iter().any(|begin| line.starts_with(begin)) && OUT_OF_MEMORY.iter().any(has)
}

/// Whether a process ended in this way was aborted, itself or as the program of a shell.
pub(super) fn is_abort(status: ExitStatus) -> bool {
    status.signal().is_some() || status.code().is_some_and(|code| code > SIGNAL_BASE)
}

#[cfg(test)]
mod tests {
    use super::is_out_of_memory;

    #[test]
    fn the_last_words_of_all_versions_are_recognised() {
        let words = [
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript \
             heap out of memory",
            "FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - process out of memory",
            "Fatal JavaScript out of memory: Reached heap limit",
            "# Fatal process out of memory: Zone",
        ];
        for line in words {
            assert!(is_out_of_memory(line.as_bytes()), "{line}");
        }
        for line in ["out of memory", "FATAL ERROR: no luck", "a FATAL ERROR: out of memory", ""] {
            assert!(!is_out_of_memory(line.as_bytes()), "{line}");
        }
    }
}
