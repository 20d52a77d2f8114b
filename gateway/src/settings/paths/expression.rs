//! Paths that are regular expressions: what they must not have, and how they are compiled.

use std::str::CharIndices;

use daemon::path::{one_slash_first, readable};
use regex::{Captures, Regex};

use super::never_has;

/// The characters of an expression, in order.
struct Scan<'a> {
    rest: CharIndices<'a>,
    is_escaped: bool,
    /// How many classes are open. A class may have classes in it: `[a[0-9]]`, `[[:alpha:]]`.
    depth: usize,
    within: Within,
}

/// How far the innermost class has come.
enum Within {
    Opened,
    Negated,
    Filled,
}

/// A character of an expression.
struct Scanned {
    at: usize,
    character: char,
    /// Behind a backslash, so that it stands for itself.
    is_escaped: bool,
    /// In brackets, where most characters stand for themselves.
    is_in_class: bool,
}

impl<'a> Scan<'a> {
    fn of(expression: &'a str) -> Self {
        let rest = expression.char_indices();
        Self { rest, is_escaped: false, depth: 0, within: Within::Filled }
    }
}

impl Iterator for Scan<'_> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        let (at, character) = self.rest.next()?;
        let is_in_class = self.depth > 0;
        let scanned = Scanned { at, character, is_escaped: self.is_escaped, is_in_class };
        self.within = match (character, &self.within) {
            ('[', _) if !self.is_escaped => {
                self.depth += 1;
                Within::Opened
            }
            ('^', Within::Opened) => Within::Negated,
            // It stands for itself at the begin of a class, also behind ^.
            (']', Within::Filled) if !self.is_escaped => {
                self.depth = self.depth.saturating_sub(1);
                Within::Filled
            }
            _ => Within::Filled,
        };
        self.is_escaped = character == '\\' && !self.is_escaped;
        Some(scanned)
    }
}

/// An error if `expression` asks for a character that the path of a request never has.
pub(super) fn check(expression: &str) -> Result<(), String> {
    let is_never = |it: &Scanned| match it.character {
        '#' => !it.is_in_class,
        '?' => !it.is_in_class && it.is_escaped,
        _ => false,
    };
    match Scan::of(expression).find(is_never) {
        Some(never) => Err(never_has(never.character)),
        None => Ok(()),
    }
}

/// `{name}` stands for one segment; everything else is a regular expression. What is
/// percent-encoded in it stands for itself, as in the normal form of a path.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    let text = without_slashes_first(text);
    if readable(text).replace('\\', "").split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("an expression must not have a part . or .. between slashes, since paths are \
                    compared without them: write the path that is meant, or [^/] for any character"
            .into());
    }
    let names = Regex::new(r"\{([A-Za-z_][A-Za-z0-9_]*)\}").expect("the expression is constant");
    let encoded = Regex::new("(?:%[0-9A-Fa-f]{2})+|%").expect("the expression is constant");
    let expression = names.replace_all(text, "(?P<$1>[^/]+)");
    if let Some(found) = encoded.find_iter(&expression).find(|found| {
        readable(found.as_str()).contains('%') && is_in_class(found.start(), &expression)
    }) {
        let found = found.as_str();
        return Err(format!("{found} is three characters in brackets: write (?:[...]|{found})"));
    }
    let expression = encoded.replace_all(&expression, |found: &Captures<'_>| literal(&found[0]));
    Regex::new(&format!("^(?:{expression})$")).map_err(|error| error.to_string())
}

/// What stands for the percent-encoded `text` in an expression. A character that stays encoded in
/// the normal form of a path is in parentheses: a quantifier behind it is for all of it.
fn literal(text: &str) -> String {
    let parts = readable(text);
    let mut parts = parts.split('%');
    let mut literal = regex::escape(parts.next().unwrap_or_default());
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        literal += &format!("(?:%{code}){}", regex::escape(rest));
    }
    literal
}

/// Whether the character at the byte `at` of `expression` is in brackets.
fn is_in_class(at: usize, expression: &str) -> bool {
    Scan::of(expression).any(|it| it.at == at && it.is_in_class)
}

/// `text` with one slash at its begin, as paths have in their normal form. A quantifier behind the
/// slashes, as in `//?` or `/{2}`, belongs to the last slash, so nothing is removed.
fn without_slashes_first(text: &str) -> &str {
    let rest = text.trim_start_matches('/');
    let times = rest.strip_prefix('{').and_then(|rest| rest.chars().next());
    let is_counted =
        rest.starts_with(['?', '*', '+']) || times.is_some_and(|first| first.is_ascii_digit());
    if is_counted { text } else { one_slash_first(text) }
}
