//! Tokens in log lines. Of each token only the first four letters are shown.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    sync::{LazyLock, RwLock},
};

use regex::{Captures, Regex};

/// How many letters of a token are shown, so that its owner can tell it from others.
const SHOWN: usize = 4;

/// One table for the process, as there is one log.
static TOKENS: RwLock<Tokens> = RwLock::new(Tokens(BTreeMap::new()));

/// A path with a token, known or not, in any of its spellings.
static IN_PATH: LazyLock<Regex> = LazyLock::new(|| {
    let slash = "(?:/|%2[Ff])";
    let path = format!("({slash}(?:~|%7[Ee]){slash}+(?:t|%74){slash}+)([A-Za-z0-9._~+=%-]+)");
    Regex::new(&path).expect("it is constant")
});

/// The tokens by their first letters, each with the number of its redactions. Processes of
/// functions come and go with their tokens, so nothing here is made of all tokens together.
struct Tokens(BTreeMap<[u8; SHOWN], BTreeMap<String, usize>>);

impl Tokens {
    fn add(&mut self, token: &str) {
        // A shorter token would be shown whole.
        let Some(first) = token.as_bytes().first_chunk() else { return };
        *self.0.entry(*first).or_default().entry(token.to_owned()).or_default() += 1;
    }

    fn remove(&mut self, token: &str) {
        let Some(first) = token.as_bytes().first_chunk() else { return };
        let Some(alike) = self.0.get_mut(first) else { return };
        if let Some(count) = alike.get_mut(token) {
            *count -= 1;
        }
        alike.retain(|_, count| *count > 0);
        if alike.is_empty() {
            self.0.remove(first);
        }
    }

    /// The longest token with which `text` begins.
    fn first_of(&self, text: &[u8]) -> Option<&str> {
        let alike = self.0.get(text.first_chunk()?)?;
        // A token comes after those that it begins with.
        let token = alike.keys().rev().find(|token| text.starts_with(token.as_bytes()))?;
        Some(token)
    }

    fn cut_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut written, mut copied, mut at) = (String::new(), 0, 0);
        while at < text.len() {
            let Some(token) = self.first_of(&text.as_bytes()[at..]) else {
                at += 1;
                continue;
            };
            written.push_str(&text[copied..at]);
            written.push_str(&cut(token));
            at += token.len();
            copied = at;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        written.push_str(&text[copied..]);
        Cow::Owned(written)
    }
}

/// While this exists, [`redact`] cuts a token.
pub struct Redaction(String);

impl Redaction {
    /// Has `token` cut from now on. It must be visible ASCII without quotes and backslashes, or it
    /// is another text in a log line in JSON.
    pub fn of(token: &str) -> Self {
        TOKENS.write().expect("nothing panics with the lock held").add(token);
        Self(token.to_owned())
    }
}

impl Drop for Redaction {
    fn drop(&mut self) {
        TOKENS.write().expect("nothing panics with the lock held").remove(&self.0);
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redaction({})", cut(&self.0))
    }
}

/// `text` with the known tokens in it cut, and whatever stands in a path where a token stands.
pub fn redact(text: &str) -> Cow<'_, str> {
    let text = TOKENS.read().expect("nothing panics with the lock held").cut_in(text);
    let in_path = |found: &Captures<'_>| format!("{}{}", &found[1], cut(&found[2]));
    match &text {
        Cow::Borrowed(text) => IN_PATH.replace_all(text, in_path),
        Cow::Owned(text) => Cow::Owned(IN_PATH.replace_all(text, in_path).into_owned()),
    }
}

/// The first letters of a token, which is ASCII.
fn cut(token: &str) -> String {
    match token.get(..SHOWN) {
        Some(first) if token.len() > SHOWN => format!("{first}…"),
        Some(_) | None => token.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Redaction, redact};

    #[test]
    fn known_tokens_are_cut_wherever_they_stand() {
        let tokens = ["first.token+of~these", "second-token", "second-token-of-all"];
        let text = "a first.token+of~these, \"second-token\" and xsecond-token-of-allx";
        let redactions = tokens.map(Redaction::of);
        let again = Redaction::of(tokens[1]);
        assert_eq!(redact(text), "a firs…, \"seco…\" and xseco…x");
        drop(redactions);
        assert_eq!(redact(text), "a first.token+of~these, \"seco…\" and xseco…-of-allx");
        assert_eq!(format!("{again:?}"), "Redaction(seco…)");
        drop(again);
        assert_eq!(redact(text), text);
    }

    #[test]
    fn whatever_stands_in_a_path_for_a_token_is_cut() {
        for (text, cut) in [
            ("POST /~/t/0123456789/api-x: 401", "POST /~/t/0123…/api-x: 401"),
            ("\"/%7E/%74/0123%34/api-x\"", "\"/%7E/%74/0123…/api-x\""),
            ("/~/t/<token>/x /~/t/abc/x", "/~/t/<token>/x /~/t/abc/x"),
            ("/~/t/0123456", "/~/t/0123…"),
            ("//~//t//0123456/x", "//~//t//0123…/x"),
            ("/~%2ft%2F0123456%2Fx /%2f", "/~%2ft%2F0123… /%2f"),
        ] {
            assert_eq!(redact(text), cut);
        }
    }

    /// Each process of a function has a token.
    #[test]
    fn many_tokens_come_and_go() {
        let token = |number: usize| format!("{number:05}-of-many-tokens-with-a-common-length");
        let redactions: Vec<_> = (0..20_000).map(|number| Redaction::of(&token(number))).collect();
        let text = format!("聊天 {} {}", token(7), token(19_999));
        assert_eq!(redact(&text), "聊天 0000… 1999…");
        drop(redactions);
        assert_eq!(redact(&text), text);
    }
}
