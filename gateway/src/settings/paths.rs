//! The `path` of an API, and which API a request path belongs to.
//!
//! docs/settings.md has the order of the rules: `=/x` exact, `^~/x` prefix, `/u/{id}` or a regular
//! expression, then the longest plain prefix.

mod expression;

use std::{borrow::Borrow, collections::BTreeMap, fmt, sync::Arc};

use daemon::path::normal;
use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};

/// A configured path, parsed.
#[derive(Clone)]
pub struct PathPattern {
    text: String,
    rule: Rule,
}

/// Paths are compared in their normal form.
#[derive(Clone)]
enum Rule {
    Exact(String),
    Prefix(String),
    Regex(Regex),
    Plain(String),
}

/// A path with one of these characters is a regular expression.
const REGEX_CHARACTERS: &[char] =
    &['(', ')', '[', ']', '{', '}', '*', '+', '?', '|', '^', '$', '\\'];

const STAGES: [&str; 3] = ["release", "prepub", "test"];

/// The values of the `{name}` parts of a path.
pub type PathParameters = BTreeMap<String, String>;

/// How a request path fits one of the paths of an API.
#[derive(Debug, Clone)]
pub(crate) struct PathMatch {
    /// The one that it fits.
    pub(crate) pattern: Arc<PathPattern>,
    pub(crate) parameters: PathParameters,
}

impl PathPattern {
    /// Reads a configured path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rule = if let Some(path) = text.strip_prefix("^~") {
            Rule::Prefix(absolute(whole(path)?)?)
        } else if let Some(path) = text.strip_prefix('=') {
            Rule::Exact(absolute(whole(path)?)?)
        } else {
            expression::check(text)?;
            let path = absolute(text)?;
            // A character that is percent-encoded stands for itself.
            if text.contains(REGEX_CHARACTERS) {
                Rule::Regex(expression::compile(text)?)
            } else {
                Rule::Plain(path)
            }
        };
        Ok(Self { text: text.to_owned(), rule })
    }

    /// The path as configured.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text for all spellings of the same pattern.
    pub(super) fn key(&self) -> String {
        match &self.rule {
            Rule::Exact(path) => format!("={path}"),
            Rule::Prefix(path) => format!("^~{path}"),
            Rule::Regex(regex) => regex.as_str().to_owned(),
            Rule::Plain(path) => path.clone(),
        }
    }

    /// The stage that the path names: its first segment, if that is one of the documented stages.
    pub(crate) fn stage(&self) -> Option<&'static str> {
        let path = normal(self.text.trim_start_matches(['=', '^', '~']));
        let first = path.split('/').nth(1);
        STAGES.into_iter().find(|stage| Some(*stage) == first)
    }

    /// The rank and the parameters of a match with `path`, which is in normal form; none if it does
    /// not match.
    fn fit(&self, path: &str) -> Option<(Rank, PathParameters)> {
        let none = PathParameters::new();
        match &self.rule {
            Rule::Exact(exact) => (path == exact).then_some((Rank::Exact, none)),
            Rule::Prefix(prefix) => {
                path.starts_with(prefix).then_some((Rank::Prefix(prefix.len()), none))
            }
            Rule::Regex(regex) => {
                regex.captures(path).map(|captures| (Rank::Regex, parameters(regex, &captures)))
            }
            Rule::Plain(plain) => {
                path.starts_with(plain).then_some((Rank::Plain(plain.len()), none))
            }
        }
    }
}

/// A later rank is better. Within a rank the longer prefix is better; of two regular expressions,
/// the first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Plain(usize),
    Regex,
    Prefix(usize),
    Exact,
}

/// The one of `candidates` that `path`, which is in normal form, belongs to, and the parameters in
/// it.
pub(crate) fn best_fit<P: Borrow<PathPattern>, T>(
    path: &str,
    candidates: impl Iterator<Item = (P, T)>,
) -> Option<(T, PathParameters)> {
    let mut best: Option<(Rank, T, PathParameters)> = None;
    for (pattern, candidate) in candidates {
        let Some((rank, parameters)) = pattern.borrow().fit(path) else { continue };
        if best.as_ref().is_none_or(|(best, ..)| rank > *best) {
            best = Some((rank, candidate, parameters));
        }
    }
    best.map(|(_, candidate, parameters)| (candidate, parameters))
}

/// `path` is compared as it is.
fn whole(path: &str) -> Result<&str, String> {
    match path.chars().find(|character| matches!(character, '#' | '?')) {
        Some(character) => Err(never_has(character)),
        None => Ok(path),
    }
}

fn never_has(character: char) -> String {
    let code = u32::from(character);
    format!(
        "the path of a request never has {character}, with which the next part of a URL begins: \
         leave it and what follows out, or write %{code:X} for the character"
    )
}

fn absolute(path: &str) -> Result<String, String> {
    if !path.starts_with('/') {
        return Err("it does not begin with /".into());
    }
    let path = normal(path).into_owned();
    if path == "/~" || path.starts_with("/~/") {
        return Err("paths that begin with /~/ are the gateway's own".into());
    }
    Ok(path)
}

fn parameters(regex: &Regex, captures: &Captures<'_>) -> PathParameters {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let value = |name: &str| captures.name(name).map(|value| decode(value.as_str()));
    regex
        .capture_names()
        .flatten()
        .filter_map(|name| Some((name.to_owned(), value(name)?)))
        .collect()
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathPattern({})", self.text)
    }
}

#[cfg(test)]
mod tests;
