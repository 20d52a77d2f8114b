//! Recognises the end of a process whose JavaScript engine found no more room in its heap.
//!
//! The engine has a limit of its own, below that of the instance. It writes why, and aborts.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use nix::sys::signal::Signal;

/// How the last line of V8 begins before V8 ends the process.
const FATAL: [&[u8]; 3] = [b"FATAL ERROR: ", b"# Fatal ", b"Fatal JavaScript "];
/// What such a line has in it if there is no more memory, in different versions.
const OUT_OF_MEMORY: [&[u8]; 2] = [b"out of memory", b"Allocation failed"];

/// The signals that V8 ends its process with.
const ABORTS: [Signal; 3] = [Signal::SIGABRT, Signal::SIGTRAP, Signal::SIGILL];
/// The exit code of a shell whose program was ended by a signal is the signal and this.
const SIGNAL_BASE: i32 = 128;

/// Whether the engine says in this line of output that it is out of memory.
pub(super) fn is_out_of_memory(line: &[u8]) -> bool {
    let has = |what: &&[u8]| line.windows(what.len()).any(|part| part == *what);
    FATAL.iter().any(|begin| line.starts_with(begin)) && OUT_OF_MEMORY.iter().any(has)
}

/// Whether V8 may have ended a process with `status`, or the program of a shell.
pub(super) fn is_abort(status: ExitStatus) -> bool {
    let of_shell = status.code().map(|code| code - SIGNAL_BASE);
    let signal = status.signal().or(of_shell);
    ABORTS.iter().any(|abort| signal == Some(*abort as i32))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    use super::{is_abort, is_out_of_memory};

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
        for line in [
            "out of memory",
            "FATAL ERROR: no luck",
            "a FATAL ERROR: out of memory",
            "Fatal error: Allocation failed in the cache of models",
            "",
        ] {
            assert!(!is_out_of_memory(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn only_an_abort_is_one() {
        let by_signal = |signal| ExitStatus::from_raw(signal);
        let with_code = |code: i32| ExitStatus::from_raw(code << 8);
        for aborted in [by_signal(6), by_signal(5), by_signal(4), with_code(134), with_code(133)] {
            assert!(is_abort(aborted), "{aborted}");
        }
        for other in [
            by_signal(9),
            by_signal(11),
            by_signal(15),
            with_code(0),
            with_code(6),
            with_code(137),
            with_code(143),
            with_code(200),
        ] {
            assert!(!is_abort(other), "{other}");
        }
    }
}
