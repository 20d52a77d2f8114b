//! The ready line: one JSON object on stdout when the doors are open.
//!
//! Tests, scripts and process managers wait for it, and read the addresses from it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

/// Prints `{"ready":true,…}` with the fields of `doors`.
pub fn announce(doors: &impl Serialize) -> io::Result<()> {
    let mut line = json!({ "ready": true });
    if let (Some(line), serde_json::Value::Object(doors)) =
        (line.as_object_mut(), serde_json::to_value(doors)?)
    {
        line.extend(doors);
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
