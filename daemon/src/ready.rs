//! The ready line: one JSON object on stdout when the process listens.
//!
//! Tests, scripts and process managers wait for this line, and read the addresses from it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

/// Prints `{"ready":true,…}` with the fields of `listeners`.
pub fn announce(listeners: &impl Serialize) -> io::Result<()> {
    let mut line = json!({ "ready": true });
    if let (Some(line), serde_json::Value::Object(listeners)) =
        (line.as_object_mut(), serde_json::to_value(listeners)?)
    {
        line.extend(listeners);
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
