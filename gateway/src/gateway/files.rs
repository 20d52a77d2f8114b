//! How many files a gateway may have open at once: the sum of all its bounds.

use super::{INTERNAL, PUBLIC};
use crate::{
    call::LATE_MAX,
    settings::{ApiSettings, Settings},
};

/// The journal, what watches the settings, the log, and questions to the runner.
const OTHERS: usize = 64;

/// How many files a gateway with these settings may have open at once.
pub(super) fn files_needed(settings: &Settings, has_pages: bool) -> usize {
    // A request for a page has a connection and the file of the page.
    let for_each_request = if has_pages { 2 } else { 1 };
    let apis = settings.apis.iter().map(|api| calls_of(api, settings)).sum::<usize>();
    settings.connection.max
        + for_each_request * PUBLIC.files_max()
        + INTERNAL.files_max()
        + apis
        + OTHERS
}

/// How many calls the functions of an API may have at once, each with a socket of its own.
fn calls_of(api: &ApiSettings, settings: &Settings) -> usize {
    // A connection has one call at most.
    let at_most = |calls: usize| calls.min(settings.connection.max);
    let register = if api.register.is_some() { at_most(api.register_concurrency) } else { 0 };
    let transmit = at_most(api.transmit_concurrency);
    let cleanup = if api.cleanup.is_some() { settings.cleanup.concurrency } else { 0 };
    let functions = 1 + usize::from(api.register.is_some()) + usize::from(api.cleanup.is_some());
    register + transmit + cleanup + functions * LATE_MAX
}
