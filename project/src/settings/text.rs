//! Lines of TOML.

use std::fmt::{Display, Write};

use toml::Value;

use crate::note::{Place, printable};

/// A settings file while it is written.
#[derive(Debug, Default)]
pub(super) struct Toml(String);

impl Toml {
    /// A comment, a line for each of its lines.
    pub(super) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format_args!("# {line}"));
        }
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// An empty line, and the beginning of a table: `[x]` or `[[x]]`.
    pub(super) fn table(&mut self, header: &str, place: Option<&impl Display>) {
        self.blank();
        self.line(format_args!("{header}{}", origin(place)));
    }

    pub(super) fn text(&mut self, key: &str, value: &str, place: Option<&impl Display>) {
        self.line(format_args!("{key} = {}{}", quoted(value), origin(place)));
    }

    pub(super) fn number(&mut self, key: &str, value: u64, place: Option<&impl Display>) {
        self.line(format_args!("{key} = {value}{}", origin(place)));
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.line(format_args!("{key} = {value}"));
    }

    pub(super) fn list(&mut self, key: &str, values: &[String], place: Option<&impl Display>) {
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        self.line(format_args!("{key} = [{}]{}", values.join(", "), origin(place)));
    }

    /// A list with a line for each value, which is written already.
    pub(super) fn lines(&mut self, key: &str, values: &[(String, &Place)]) {
        self.line(format_args!("{key} = ["));
        for (value, place) in values {
            self.line(format_args!("    {value},{}", origin(Some(place))));
        }
        self.line(format_args!("]"));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{line}");
    }
}

/// A string of TOML.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The comment that says where a value comes from.
fn origin(place: Option<&impl Display>) -> String {
    let text = |place: &_| printable(&format!("  # {place}")).collect();
    place.map(text).unwrap_or_default()
}

/// No place, where one could be given.
pub(super) const NOWHERE: Option<&Place> = None;
