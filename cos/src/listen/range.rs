//! The header `Range` (RFC 9110, section 14.2). Pure.

use std::ops::Range;

use crate::refusal::{Code, Refusal};

/// The bytes that `header` asks for of `size`. None for all of them: so are several ranges, and
/// what is no range, answered, as the RFC allows.
pub(super) fn parse(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, Refusal> {
    let range = header.and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((begin, end)) = range.and_then(|range| range.split_once('-')) else { return Ok(None) };
    let numbers = [begin, end].map(|text| text.trim().parse::<u64>().ok());
    let found = match (begin.trim(), end.trim(), numbers) {
        (_, "", [Some(begin), _]) => begin..size,
        ("", _, [_, Some(last)]) => size.saturating_sub(last)..size,
        (_, _, [Some(begin), Some(end)]) if begin <= end => begin..size.min(end.saturating_add(1)),
        _ => return Ok(None),
    };
    if found.is_empty() {
        let message = format!("The range is not within the {size} bytes of the object.");
        return Err(Refusal::new(Code::InvalidRange, message));
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_within_the_object() {
        for (header, expected) in [
            ("bytes=0-3", Ok(Some(0..4))),
            ("bytes=4-", Ok(Some(4..10))),
            ("bytes=4-100", Ok(Some(4..10))),
            ("bytes=-3", Ok(Some(7..10))),
            ("bytes=-30", Ok(Some(0..10))),
            ("bytes=9-9", Ok(Some(9..10))),
            ("bytes=0-18446744073709551615", Ok(Some(0..10))),
            ("bytes=10-", Err(())),
            ("bytes=10-20", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=3-2", Ok(None)),
            ("bytes=0-1,3-4", Ok(None)),
            ("bytes=a-b", Ok(None)),
            ("bytes=-", Ok(None)),
            ("lines=0-1", Ok(None)),
            ("bytes=99999999999999999999-", Ok(None)),
        ] {
            assert_eq!(parse(Some(header), 10).map_err(drop), expected, "{header}");
        }
        assert!(parse(None, 10).unwrap().is_none());
        assert!(parse(Some("bytes=0-"), 0).is_err());
    }
}
