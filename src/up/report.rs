//! What is said to whoever has typed the command.

use std::{collections::BTreeSet, path::Path};

use daemon::telemetry::for_terminal;
use project::{Note, Severity, WebSocketApi};

use super::{libraries::Missing, served::Served};

/// The notes about a project, most serious first.
pub(super) fn notes(notes: &[Note]) -> Vec<String> {
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    let sorted = severities.iter().flat_map(|severity| {
        let notes = notes.iter().filter(move |note| note.severity == *severity);
        notes.map(move |note| format!("  {severity}: {note}"))
    });
    sorted.collect()
}

/// Where the project is reached, and what leads there.
pub(super) fn served(served: &Served<'_>, data: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for api in &served.project.apis {
        let calls = calls(api);
        lines.extend(
            served.clients_of(api).map(|client| format!("  WebSocket {client} calls {calls}")),
        );
    }
    let ids = served.project.apis.iter().flat_map(|api| api.push_ids.iter().chain([&api.id]));
    let ids: BTreeSet<_> = ids.collect();
    lines.extend(ids.iter().map(|id| format!("  push      {}/{id}", served.pushes())));
    if let Some(website) = served.project.websites.first() {
        lines.push(format!("  page      {} from {}", served.page(), website.folder.display()));
    }
    for (name, to) in served.names() {
        lines.push(format!("  name      {name} leads to {to}"));
    }
    lines.push(format!("  data      {}", data.display()));
    lines
}

/// The functions that an API calls.
fn calls(api: &WebSocketApi) -> String {
    let functions = [
        ("register", api.register.as_ref()),
        ("transmit", Some(&api.transmit)),
        ("cleanup", api.cleanup.as_ref()),
    ];
    let calls = functions.iter().filter_map(|(kind, name)| Some(format!("{kind} {}", (*name)?)));
    calls.collect::<Vec<_>>().join(", ")
}

/// Missing libraries are installed, and what is done is said.
pub(super) const INSTALLED: Missing<'_> = Missing::Installed(&|line| say([format!("  {line}")]));

/// Says it beside the log: stdout has the ready line.
#[expect(clippy::print_stderr, reason = "the command speaks to a person")]
pub(super) fn say<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) {
    for line in lines {
        eprintln!("{}", for_terminal(line.as_ref()));
    }
}

/// Says what was asked for, where nothing runs.
#[expect(clippy::print_stdout, reason = "the command answers a person or a program")]
pub(super) fn answer<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) {
    for line in lines {
        println!("{}", for_terminal(line.as_ref()));
    }
}
