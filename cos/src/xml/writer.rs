//! Writes XML that is well-formed whatever the texts in it are.

use std::fmt::Write;

/// An XML document that is being written.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    /// The document, whose root element is `root`.
    pub(super) fn document(root: &str, write: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
        writer.element(root, write);
        writer.0
    }

    pub(super) fn element(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<{name}>");
        write(self);
        let _ = write!(self.0, "</{name}>");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |writer| writer.0.extend(text.chars().map(Escaped)));
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.text(name, &number.to_string());
    }

    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.text(name, if flag { "true" } else { "false" });
    }
}

/// A character as it stands in a text.
struct Escaped(char);

impl Extend<Escaped> for String {
    fn extend<T: IntoIterator<Item = Escaped>>(&mut self, characters: T) {
        for Escaped(character) in characters {
            match character {
                '&' => self.push_str("&amp;"),
                '<' => self.push_str("&lt;"),
                '>' => self.push_str("&gt;"),
                '"' => self.push_str("&quot;"),
                // Readers take them for a space or a line break otherwise.
                '\t' => self.push_str("&#9;"),
                '\n' => self.push_str("&#10;"),
                '\r' => self.push_str("&#13;"),
                lost if is_lost(lost) => self.push('\u{fffd}'),
                other => self.push(other),
            }
        }
    }
}

/// Whether XML 1.0 can hold the character in no way (section 2.2).
fn is_lost(character: char) -> bool {
    let is_space = matches!(character, '\t' | '\n' | '\r');
    !is_space && matches!(character, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a document can have this text.
pub(crate) fn can_hold(text: &str) -> bool {
    !text.contains(is_lost)
}
