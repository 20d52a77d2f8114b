//! Text for terminals, in which no character of others moves the cursor, hides what was written or
//! turns its direction.

use std::{borrow::Cow, fmt::Write as _};

/// `text` with all characters escaped that change what a terminal has shown, such as carriage
/// returns, escape sequences and marks of direction. Line feeds and tabs stay.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    escape(text, |character| character.is_control())
}

/// In front of each further line of an event.
const CONTINUED: &str = "\n  | ";

/// The same for an event of the log. The library has escaped what is in the values as far as colors
/// need it, so escape characters that are left are its own. An event has one line, or further ones
/// that are marked: no text of others begins a line as an event does.
pub(super) fn log_event_for_terminal(event: &str) -> Cow<'_, str> {
    let shown = escape(event, |character| character.is_control() && character != '\u{1b}');
    match shown.strip_suffix('\n') {
        Some(lines) if lines.contains('\n') => (lines.replace('\n', CONTINUED) + "\n").into(),
        Some(_) | None => shown,
    }
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |character: char| {
        !matches!(character, '\n' | '\t') && is_escaped(character) || is_hidden(character)
    };
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        let _ = match u32::from(character) {
            _ if !is_escaped(character) => escaped.write_char(character),
            code @ ..0x80 => write!(escaped, "\\x{code:02x}"),
            code => write!(escaped, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(escaped)
}

/// Separators of lines and paragraphs, and marks of direction.
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::{for_terminal, log_event_for_terminal};

    #[test]
    fn characters_that_change_what_is_shown_are_escaped() {
        let plain = "a\tb\n聊天 ✓ é";
        assert_eq!(for_terminal(plain), plain);
        let text = "a\rb\0c\u{1b}[2Jd\u{85}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}e\x7f";
        let escaped = "a\\x0db\\x00c\\x1b[2Jd\\u{85}\\u{61c}\\u{200e}\\u{200f}\\u{2028}\\u{2029}\\u{202a}\\u{202e}\\u{2066}\\u{2069}e\\x7f";
        assert_eq!(for_terminal(text), escaped);
    }

    #[test]
    fn colors_of_the_log_itself_stay() {
        let line = "\u{1b}[31mERROR\u{1b}[0m a\rb\u{202e}\n";
        assert_eq!(log_event_for_terminal(line), "\u{1b}[31mERROR\u{1b}[0m a\\x0db\\u{202e}\n");
    }

    #[test]
    fn no_text_in_an_event_begins_a_line_as_an_event_does() {
        let event = "ERROR a: it said x\nERROR b: forged\n\nz key=1\n";
        let shown = "ERROR a: it said x\n  | ERROR b: forged\n  | \n  | z key=1\n";
        assert_eq!(log_event_for_terminal(event), shown);
        assert_eq!(log_event_for_terminal("ERROR a\n"), "ERROR a\n");
    }
}
