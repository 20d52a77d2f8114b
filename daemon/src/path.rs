//! Paths of requests in their normal form, so that two spellings of the same path are equal.
//!
//! RFC 3986 section 6.2.2, in the readable direction: what may stand for itself in a text is
//! decoded. Characters that have a meaning in a URL, such as `/`, stay as they came.

use std::borrow::Cow;

/// The normal form of `path`.
///
/// - Percent-encoded characters are decoded, but not ASCII characters that have a meaning in a URL
///   (reserved ones and `%`), control characters, and bytes that are not UTF-8. Their digits are
///   upper-case.
/// - Segments `.` and `..` are resolved.
/// - Several slashes at the begin are one: joined URLs have two.
pub fn normal(path: &str) -> Cow<'_, str> {
    let path = one_slash_first(path);
    let decoded = readable(path);
    if decoded.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Cow::Owned(one_slash_first(&without_dots(&decoded)).to_owned());
    }
    decoded
}

/// `path` with one slash in place of each run of them. None if there is no run.
pub fn without_runs(path: &str) -> Option<String> {
    let segments = path.split('/').skip(1).filter(|segment| !segment.is_empty());
    let end = if path.ends_with('/') { "/" } else { "" };
    let single = segments.map(|segment| format!("/{segment}")).collect::<String>() + end;
    path.contains("//").then_some(single)
}

/// What a path begins with whose next segment is an access token.
pub const TOKEN_PATH: &str = "/~/t/";

/// `path` with one slash in place of several at its begin.
pub fn one_slash_first(path: &str) -> &str {
    let slashes = path.len() - path.trim_start_matches('/').len();
    &path[slashes.saturating_sub(1)..]
}

/// `path` without the slashes at its end that joined URLs have.
pub(crate) fn without_slash_last(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { &path[..path.len().min(1)] } else { trimmed }
}

/// `text`, a part of a path, with the characters decoded that stand for themselves.
pub fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut bytes = Vec::new();
        while let Some((byte, after)) = encoded_byte(rest) {
            bytes.push(byte);
            rest = after;
        }
        if bytes.is_empty() {
            // A sign that encodes nothing.
            normal.push_str("%25");
            rest = &rest[1..];
        }
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                if stands_for_itself(character) {
                    normal.push(character);
                } else {
                    encode(&mut normal, character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            encode(&mut normal, chunk.invalid());
        }
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

/// The byte that `text` begins with in percent-encoding, and the text after it.
fn encoded_byte(text: &str) -> Option<(u8, &str)> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((u8::from_str_radix(digits, 16).ok()?, &text[3..]))
}

/// Reserved characters (RFC 3986 section 2.2) mean something else when they are encoded.
fn stands_for_itself(character: char) -> bool {
    !character.is_control() && !":/?#[]@!$&'()*+,;=%".contains(character)
}

fn encode(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
        text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // The path ends with the folder.
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{normal, without_runs, without_slash_last};

    fn check(path: &str, expected: &str) {
        assert_eq!(normal(path), expected, "{path}");
        assert_eq!(normal(expected), expected, "the normal form of {path} is not normal");
    }

    #[test]
    fn what_stands_for_itself_is_decoded() {
        check("/release/chat", "/release/chat");
        check("/%74e%7E%2d%5F%2E", "/te~-_.");
        check("/%e8%81%8a/聊", "/聊/聊");
        check("/my%20room/%22%3C%3e%5E%60%7b%7C%7D%5c", "/my room/\"<>^`{|}\\");
    }

    #[test]
    fn what_means_something_else_when_it_is_encoded_stays() {
        check("/a%2fb%3F%23%3a%40%2B%25", "/a%2Fb%3F%23%3A%40%2B%25");
        check("/%2541", "/%2541");
        check("/%00%0a%7F%c2%85", "/%00%0A%7F%C2%85");
        check("/%ff%E8%81/%e8%81%8A%ff", "/%FF%E8%81/聊%FF");
    }

    #[test]
    fn a_sign_that_encodes_nothing_is_one() {
        check("/100%", "/100%25");
        check("/%zz%4", "/%25zz%254");
        check("/%%34%31", "/%2541");
        check("/%+1%聊", "/%25+1%25聊");
    }

    #[test]
    fn dots_are_resolved_and_slashes_at_the_begin_are_one() {
        check("/a/./b/../c", "/a/c");
        check("/a/b/..", "/a/");
        check("/a/.", "/a/");
        check("/../../a", "/a");
        check("/%2e%2E/a", "/a");
        check("///a//b/", "/a//b/");
        check("//..//a", "/a");
        check("/...", "/...");
        check("/", "/");
        check("//", "/");
        check("", "");
        check("*", "*");
    }

    #[test]
    fn slashes_at_the_end_are_left_out_but_not_the_only_one() {
        for (path, expected) in
            [("/a/", "/a"), ("/a//b//", "/a//b"), ("/", "/"), ("//", "/"), ("*", "*"), ("", "")]
        {
            assert_eq!(without_slash_last(path), expected, "{path}");
        }
    }

    #[test]
    fn runs_of_slashes_become_one_each() {
        assert_eq!(without_runs("/a//b///").as_deref(), Some("/a/b/"));
        assert_eq!(without_runs("//").as_deref(), Some("/"));
        assert_eq!(without_runs("/a/b/"), None);
    }
}
