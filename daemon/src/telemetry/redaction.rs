//! Tokens in log lines. Of each token only the first four letters are shown.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{LazyLock, RwLock},
};

use regex::{Captures, Regex};

/// How many letters of a token are shown, so that its owner can tell it from others.
const SHOWN: usize = 4;

/// One table for the process, as there is one log.
static TOKENS: RwLock<Tokens> = RwLock::new(Tokens { uses: BTreeMap::new(), any: None });

/// A path with a token, known or not, in any of its spellings.
static IN_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(/(?:~|%7[Ee])/+(?:t|%74)/+)([A-Za-z0-9._~+=%-]+)").expect("it is constant")
});

struct Tokens {
    uses: BTreeMap<String, usize>,
    /// One of the tokens. None if there are none.
    any: Option<Regex>,
}

impl Tokens {
    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        change(&mut self.uses);
        // Of two tokens that begin alike, the longer one comes first.
        let any = self.uses.keys().rev().map(|token| regex::escape(token));
        let any = any.collect::<Vec<_>>().join("|");
        self.any = (!any.is_empty()).then(|| Regex::new(&any).expect("escaped texts are valid"));
    }
}

/// While this exists, [`redact`] cuts a token.
pub struct Redaction(String);

impl Redaction {
    /// Has `token` cut from now on. It must be visible ASCII without quotes and backslashes, or it
    /// is another text in a log line in JSON.
    pub fn of(token: &str) -> Self {
        let mut tokens = TOKENS.write().expect("nothing panics with the lock held");
        tokens.change(|uses| *uses.entry(token.to_owned()).or_default() += 1);
        Self(token.to_owned())
    }
}

impl Drop for Redaction {
    fn drop(&mut self) {
        let mut tokens = TOKENS.write().expect("nothing panics with the lock held");
        tokens.change(|uses| {
            if let Some(count) = uses.get_mut(&self.0) {
                *count -= 1;
            }
            uses.retain(|_, count| *count > 0);
        });
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redaction({})", cut(&self.0))
    }
}

/// `text` with the known tokens in it cut, and whatever stands in a path where a token stands.
pub fn redact(text: &str) -> Cow<'_, str> {
    let tokens = TOKENS.read().expect("nothing panics with the lock held");
    let text = match &tokens.any {
        Some(any) => any.replace_all(text, |found: &Captures<'_>| cut(&found[0])),
        None => Cow::Borrowed(text),
    };
    drop(tokens);
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

/// Writes the lines of the log, with tokens cut.
#[derive(Debug)]
pub(super) struct Redacted<W>(pub(super) W);

impl<W: Write> Write for Redacted<W> {
    /// Gets whole lines.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Redacted, Redaction, redact};

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
        ] {
            assert_eq!(redact(text), cut);
        }
    }

    #[test]
    fn the_log_has_no_token() {
        let _redaction = Redaction::of("token-in-the-log");
        let mut written = Vec::new();
        writeln!(Redacted(&mut written), "聊天 token-in-the-log").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "聊天 toke…\n");
    }
}
