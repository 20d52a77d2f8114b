//! The `path` of an API, and which API a request path belongs to.
//!
//! docs/settings.md has the order of the rules: `=/x` exact, `^~/x` prefix, `/u/{id}` or a regular
//! expression, then the longest plain prefix.

use std::{borrow::Borrow, collections::BTreeMap, fmt};

use daemon::path::{normal, one_slash_first, readable};
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

impl PathPattern {
    /// Reads a configured path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rule = if let Some(path) = text.strip_prefix("^~") {
            Rule::Prefix(absolute(whole(path)?)?)
        } else if let Some(path) = text.strip_prefix('=') {
            Rule::Exact(absolute(whole(path)?)?)
        } else {
            let path = absolute(without_end(text)?)?;
            // A character that is percent-encoded stands for itself.
            if text.contains(REGEX_CHARACTERS) {
                Rule::Regex(compile(text)?)
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

    /// The stage: the first segment if it is one of the three documented stages, else `release`.
    pub fn stage(&self) -> &'static str {
        let path = normal(self.text.trim_start_matches(['=', '^', '~']));
        let first = path.split('/').nth(1);
        STAGES.into_iter().find(|stage| Some(*stage) == first).unwrap_or("release")
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
    if path.contains('?') {
        return Err(never_has('?'));
    }
    without_end(path)
}

/// `path` may be an expression, in which some characters have another meaning.
fn without_end(path: &str) -> Result<&str, String> {
    let (mut is_escaped, mut is_in_class) = (false, false);
    for character in path.chars() {
        match character {
            '#' if !is_in_class => return Err(never_has('#')),
            '?' if is_escaped && !is_in_class => return Err(never_has('?')),
            '[' if !is_escaped => is_in_class = true,
            ']' if !is_escaped => is_in_class = false,
            _ => {}
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    Ok(path)
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

/// `{name}` stands for one segment; everything else is a regular expression. What is
/// percent-encoded in it stands for itself, as in the normal form of a path.
fn compile(text: &str) -> Result<Regex, String> {
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
        readable(found.as_str()).contains('%') && is_in_class(&expression[..found.start()])
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

/// Whether `expression` ends within brackets.
fn is_in_class(expression: &str) -> bool {
    let (mut is_escaped, mut class) = (false, None);
    for character in expression.chars() {
        class = match (character, class) {
            ('[', None) if !is_escaped => Some(0),
            // It stands for itself at the begin of a class, also behind ^.
            (']', Some(length)) if !is_escaped && length > 0 => None,
            ('^', Some(0)) => Some(0),
            (_, class) => class.map(|length| length + 1),
        };
        is_escaped = character == '\\' && !is_escaped;
    }
    class.is_some()
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
mod tests {
    use super::*;

    /// Which of `patterns` does `path` belong to, and with which parameters?
    fn check(patterns: &[&str], path: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let patterns: Vec<_> = patterns.iter().map(|p| PathPattern::parse(p).unwrap()).collect();
        let found =
            best_fit(&normal(path), patterns.iter().map(|pattern| (pattern, pattern.as_str())));
        let expected = expected.map(|(pattern, parameters)| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            (pattern, parameters.iter().map(own).collect())
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn rules_come_in_the_documented_order() {
        let all = ["/u/", "/u/{id}", "^~/u/a", "=/u/abc"];
        check(&all, "/u/abc", Some(("=/u/abc", &[])));
        check(&all, "/u/abcd", Some(("^~/u/a", &[])));
        check(&all, "/u/b", Some(("/u/{id}", &[("id", "b")])));
        check(&all, "/u/b/c", Some(("/u/", &[])));
        check(&all, "/v", None);
    }

    #[test]
    fn the_longest_prefix_and_the_first_expression_win() {
        check(&["/a", "/a/b", "/"], "/a/b/c", Some(("/a/b", &[])));
        check(&["^~/a", "^~/a/b"], "/a/b/c", Some(("^~/a/b", &[])));
        check(&["/[a-z]+", "/{name}"], "/abc", Some(("/[a-z]+", &[])));
        check(&["/[a-z]+", "/{name}"], "/1", Some(("/{name}", &[("name", "1")])));
    }

    #[test]
    fn parameters_are_decoded_and_quantifiers_are_left_alone() {
        check(&["/u/{id}"], "/u/a%20b", Some(("/u/{id}", &[("id", "a b")])));
        check(&["/u/[0-9]{3}"], "/u/123", Some(("/u/[0-9]{3}", &[])));
        check(&["/u/[0-9]{3}"], "/u/12", None);
        check(&[r"/u/[^\?]+"], "/u/a", Some((r"/u/[^\?]+", &[])));
        check(&["/u/{a}/{b}"], "/u/x/y", Some(("/u/{a}/{b}", &[("a", "x"), ("b", "y")])));
    }

    #[test]
    fn all_spellings_of_a_path_and_of_a_pattern_are_the_same() {
        for pattern in ["=/a b", "=/a%20b", "=//%61 b"] {
            check(&[pattern], "/a%20b", Some((pattern, &[])));
            check(&[pattern], "/%61%20%62", Some((pattern, &[])));
            assert_eq!(PathPattern::parse(pattern).unwrap().key(), "=/a b", "{pattern}");
        }
        check(&["/聊[天]"], "/%e8%81%8A%E5%A4%A9", Some(("/聊[天]", &[])));
        check(&["/%E8%81%8A+"], "/聊聊", Some(("/%E8%81%8A+", &[])));
        check(&["/100%+"], "/100%", Some(("/100%+", &[])));
        check(&["/a%2Eb(c)?"], "/axb", None);
        check(&["=/a/b"], "/a%2Fb", None);
        check(&["/a(%2F)+"], "/a%2f%2F", Some(("/a(%2F)+", &[])));
        check(&["/a%2F+b"], "/a%2f%2Fb", Some(("/a%2F+b", &[])));
        check(&["/%3A%2Fb?"], "/%3a%2F", Some(("/%3A%2Fb?", &[])));
        check(&["/{x}"], "/a%2fb%2541", Some(("/{x}", &[("x", "a/b%41")])));
    }

    #[test]
    fn an_expression_begins_with_one_slash_as_paths_do() {
        check(&["//u/{id}"], "/u/1", Some(("//u/{id}", &[("id", "1")])));
        check(&["///[0-9]+"], "//12", Some(("///[0-9]+", &[])));
        check(&["//?u"], "/u", Some(("//?u", &[])));
        check(&["//{0,1}u"], "/u", Some(("//{0,1}u", &[])));
    }

    #[test]
    fn a_path_is_an_expression_by_what_is_written_and_not_by_what_is_encoded() {
        check(&["/a%5Eb"], "/a%5Eb/1", Some(("/a%5Eb", &[])));
        check(&["/a%7Bx%7D"], "/a%7bx%7d/1", Some(("/a%7Bx%7D", &[])));
    }

    #[test]
    fn a_path_that_could_never_match_is_refused_with_what_would() {
        for (never, code) in [
            ("/a#b", "%23"),
            ("=/a#b", "%23"),
            ("^~/#", "%23"),
            ("/{x}/#b", "%23"),
            ("=/a?b=c", "%3F"),
            ("^~/a?", "%3F"),
            (r"/{x}\?b", "%3F"),
        ] {
            let problem = PathPattern::parse(never).unwrap_err();
            assert!(problem.contains(code), "{never}: {problem}");
        }
        check(&["=/a%23b"], "/a%23b", Some(("=/a%23b", &[])));
        check(&["^~/a%3F"], "/a%3fb", Some(("^~/a%3F", &[])));
        check(&["/colou?r"], "/color", Some(("/colou?r", &[])));
        check(&["/[^#?]+"], "/a", Some(("/[^#?]+", &[])));
    }

    #[test]
    fn wrong_paths_are_refused_with_a_reason() {
        let own = ["/~", "=/~/x", "^~/%7E/", "/~/{id}", "/x/../~/y"];
        for wrong in ["chat", "=chat", "^~", "/(", "", "/u/{id}/{id}"].into_iter().chain(own) {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
        for class in ["/[a%2F]+", "/[]a%2F]+", "/[^]a%2F]+"] {
            let problem = PathPattern::parse(class).unwrap_err();
            assert!(problem.contains("(?:[...]|%2F)"), "{problem}");
        }
        for dots in ["/a/./{x}", "/a/../b/{x}", "/{x}/..", "/(a)/%2e%2E/b", r"/[a]/\./b"] {
            let problem = PathPattern::parse(dots).unwrap_err();
            assert!(problem.contains("[^/]"), "{dots}: {problem}");
        }
    }

    #[test]
    fn the_stage_is_the_first_segment_where_it_is_one() {
        for (path, stage) in
            [("/test/{x}", "test"), ("=//%70repub/y", "prepub"), ("^~/x/test", "release")]
        {
            assert_eq!(PathPattern::parse(path).unwrap().stage(), stage, "{path}");
        }
    }
}
