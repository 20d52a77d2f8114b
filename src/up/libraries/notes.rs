//! What the author is told about libraries that could not be installed.

use project::{Note, Place, Severity};

use super::{NeedOf, install::Failure, need::Need};
use crate::up::interpreters::names;

/// The note about a need that was not met.
pub(super) fn failed(need: &Need, of: &NeedOf<'_>, failure: &Failure) -> Note {
    let severity = if of.is_required { Severity::Error } else { Severity::Warning };
    let mend = failure.command.as_ref();
    let mend = mend.map(|command| format!(". With a network, run: {command}")).unwrap_or_default();
    let text = format!(
        "{} could not be installed for {}: {}{mend}",
        need.described(),
        names(&of.functions),
        failure.what,
    );
    Note { severity, place: place(of), text }
}

/// The note about a need that is met when the project runs.
pub(super) fn would_be_installed(need: &Need, of: &NeedOf<'_>) -> Note {
    let text =
        format!("longhold up installs {} for {}, once", need.described(), names(&of.functions));
    Note { severity: Severity::Info, place: place(of), text }
}

/// Where the code of the first function is named.
fn place(of: &NeedOf<'_>) -> Option<Place> {
    let first = of.functions.first();
    first.map(|function| function.places.get("code").unwrap_or(&function.place).clone())
}
