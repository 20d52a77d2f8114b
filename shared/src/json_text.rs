//! The bytes of a JSON text as programs send them: some put a mark in front, some use another
//! encoding. A JSON parser only says that it expects a value.

/// A byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark, or what is wrong with its encoding. Whether the text is JSON
/// is not checked.
pub fn json_text(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            Err("it is in UTF-16 or UTF-32, and must be in UTF-8")
        }
        [0x1f, 0x8b, ..] => Err("it is compressed with gzip; send it plain"),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::json_text;

    #[test]
    fn a_mark_is_taken_off_and_other_encodings_are_named() {
        for (bytes, expected) in [
            (&b"{}"[..], Ok(&b"{}"[..])),
            (b"\xef\xbb\xbf{}", Ok(b"{}")),
            (b"\xef\xbb\xbf", Ok(b"")),
            (b"", Ok(b"")),
            (b"1", Ok(b"1")),
        ] {
            assert_eq!(json_text(bytes), expected);
        }
        let utf_16 = |bytes: &[u8]| json_text(bytes).unwrap_err().contains("UTF-16");
        assert!(utf_16(b"\xff\xfe{\0}\0") && utf_16(b"{\0}\0") && utf_16(b"\0{\0}"));
        assert!(utf_16(b"\xfe\xff\0{\0}") && utf_16(b"\0\0\xfe\xff\0\0\0{"));
        assert!(json_text(b"\x1f\x8b\x08\0").unwrap_err().contains("gzip"));
    }
}
