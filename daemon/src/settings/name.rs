//! Names that users give to things, and that stand in URLs and logs.

const BYTES_MAX: usize = 60;

/// Whether `text` is 1 to 60 letters, digits, `-` and `_`.
pub fn is_name(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(is_name_byte)
}

/// What is wrong with `text` as a name. `None` if it is a name. Completes the sentence "it …".
pub fn problem_of_name(text: &str) -> Option<String> {
    let count = text.chars().count();
    let wrong = text.chars().find(|c| !u8::try_from(*c).is_ok_and(is_name_byte));
    Some(match wrong {
        _ if text.is_empty() => "is empty".to_owned(),
        Some('.') => "has a dot in it".to_owned(),
        Some('/') => "has a slash in it".to_owned(),
        Some(' ') => "has a space in it".to_owned(),
        Some(other) => format!("has {other:?} in it"),
        None if count > BYTES_MAX => format!("has {count} characters"),
        None => return None,
    })
}

/// A letter, a digit, `-` or `_`.
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_of_few_characters() {
        let longest = "x".repeat(60);
        for name in ["a", "A", "0", "-", "_", "api-chat_2", &longest] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "x".repeat(61);
        for text in ["", "a b", "a.b", "a/b", "~", "é", &too_long] {
            assert!(!is_name(text), "{text}");
            assert!(problem_of_name(text).is_some(), "{text}");
        }
    }

    #[test]
    fn each_bad_name_has_its_reason() {
        let too_long = "x".repeat(61);
        for (text, problem) in [
            ("", "is empty"),
            ("a.b", "has a dot in it"),
            ("a/b", "has a slash in it"),
            ("a b", "has a space in it"),
            ("caf\u{e9}", "has 'é' in it"),
            ("a\n", "has '\\n' in it"),
            (&too_long, "has 61 characters"),
        ] {
            assert_eq!(problem_of_name(text).as_deref(), Some(problem));
        }
        assert_eq!(problem_of_name("api-chat_2"), None);
    }
}
