//! How many files the process may have open. Each connection takes one, in either direction.

use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{debug, warn};

/// How many files the services of this process may need, together.
static NEEDED: AtomicUsize = AtomicUsize::new(0);

/// A service begins that may need so many open files. Raises the soft limit to the hard limit, and
/// warns if that is less than all services of the process may need. The soft limit is 1024 on most
/// systems, which is not enough for a server.
pub fn raise_limit(needed: usize) {
    let needed = NEEDED.fetch_add(needed, Ordering::Relaxed) + needed;
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
        warn!(
            limit,
            needed,
            "the system allows too few open files for what is configured: {limit}, and {needed} may \
             be needed; raise the hard limit, or lower connection.max or the limits of apis"
        );
    }
}
