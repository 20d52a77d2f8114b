//! Names that users give to things, and that stand in URLs and logs.

const BYTES_MAX: usize = 60;

/// Whether `text` is 1 to 60 letters, digits, `-` and `_`.
pub fn is_name(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(is_name_byte)
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
        }
    }
}
