//! How many files the process may have open: one for each connection, either way.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{debug, warn};

/// Raises the soft limit to the hard one, and warns if less than `needed` is left. The soft limit
/// is 1024 on most systems, for the sake of programs that a server is not one of.
pub fn raise_limit(needed: usize) {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => return debug!(%error, "limit of open files unknown"),
    };
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            debug!(%error, "limit of open files not raised");
            soft
        }
    };
    if usize::try_from(limit).is_ok_and(|limit| limit < needed) {
        warn!(limit, needed, "the system allows too few open files for what is configured");
    }
}
