//! Numbers of bytes, written with a unit.

const UNITS: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads `64KiB`, `64 KiB`, `65536B` or `65536`.
pub(super) fn parse(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let name = match text[digits.len()..].trim() {
        "" => "B",
        name => name,
    };
    let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
    digits.parse::<usize>().ok()?.checked_mul(*unit)
}

/// Writes `bytes` in the largest unit that they are a multiple of.
pub(super) fn format(bytes: usize) -> String {
    let unit = UNITS.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    let (name, unit) = unit.unwrap_or(&("B", 1));
    format!("{}{name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_the_largest_unit() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1025, "1025B"),
            (1 << 20, "1MiB"),
            (1536 << 20, "1536MiB"),
            (64 << 30, "64GiB"),
        ] {
            assert_eq!(format(bytes), text);
            assert_eq!(parse(text), Some(bytes));
        }
    }
}
