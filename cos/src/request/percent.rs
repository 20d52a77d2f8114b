//! Percent-encoding as the cloud signs and lists: all bytes but letters, digits and `-_.~`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::refusal::{Code, Refusal};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `bytes` with all but `A-Z a-z 0-9 - _ . ~` encoded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

/// `text` decoded. What it encodes must be UTF-8.
pub(super) fn decode(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Refusal::new(Code::InvalidUri, "The URL encodes bytes that are not UTF-8."))
}
