//! Takes a text with references apart.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// What stands between `${` and its `}`. It may have references itself.
    Reference(&'a str),
}

/// The parts of `text`. A `${` without its `}` is text.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = length(&rest[start + 2..]) else { break };
        if start > 0 {
            parts.push(Part::Text(&rest[..start]));
        }
        parts.push(Part::Reference(&rest[start + 2..start + 2 + length]));
        rest = &rest[start + 2 + length + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// How far it is to the `}` of the reference that has begun.
fn length(text: &str) -> Option<usize> {
    let mut open = 0;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'$' if bytes.next_if(|(_, next)| *next == b'{').is_some() => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Part, parts};

    #[test]
    fn references_may_be_within_each_other() {
        use Part::{Reference, Text};
        for (text, expected) in [
            ("", vec![]),
            ("a", vec![Text("a")]),
            ("${a}", vec![Reference("a")]),
            ("x-${a}${b}-y", vec![Text("x-"), Reference("a"), Reference("b"), Text("-y")]),
            ("${o:${s}:${a}:n.f}", vec![Reference("o:${s}:${a}:n.f")]),
            ("a ${b", vec![Text("a ${b")]),
            ("${a} ${b ${c}", vec![Reference("a"), Text(" ${b ${c}")]),
            ("$${a}", vec![Text("$"), Reference("a")]),
            ("é${a}é", vec![Text("é"), Reference("a"), Text("é")]),
        ] {
            assert_eq!(parts(text), expected, "{text:?}");
        }
    }
}
