//! The ids of APIs, which stand in the URLs of pushes.

/// Names that no API may have: the internal listener of the gateway has routes of these names.
pub const RESERVED_IDS: [&str; 4] = ["healthz", "readyz", "metrics", "cleanups"];

/// The longest id.
const BYTES_MAX: usize = 60;

/// Whether `text` can be the id of an API: 1 to 60 letters, digits, `-` and `_`, and no name of a
/// route.
pub fn is_api_id(text: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=BYTES_MAX).contains(&text.len())
        && text.bytes().all(is_sound)
        && !RESERVED_IDS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::is_api_id;

    #[test]
    fn an_id_is_one_part_of_a_path_and_no_route() {
        let longest = "x".repeat(60);
        for id in ["api-chat", "A_1", "runtime", &longest] {
            assert!(is_api_id(id), "{id}");
        }
        let too_long = "x".repeat(61);
        for text in
            ["", "~", "..", "a/b", "a b", "\u{e9}", "a\r\n", "cleanups", "healthz", &too_long]
        {
            assert!(!is_api_id(text), "{text}");
        }
    }
}
