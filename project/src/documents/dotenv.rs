//! The lines of a `.env` file: `KEY=value`, with `export`, quotes and comments.

use std::collections::BTreeMap;

/// Reads `text`. The second value has the numbers of the lines that are none of these.
pub(super) fn parse(text: &str) -> (BTreeMap<String, String>, Vec<usize>) {
    let mut values = BTreeMap::new();
    let mut unread = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((key, value)) if is_key(key.trim()) => {
                values.insert(key.trim().to_owned(), unquoted(value.trim()));
            }
            _ => unread.push(number),
        }
    }
    (values, unread)
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The text within quotes, or the text before a comment.
fn unquoted(value: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote))
        {
            let inner = inner.to_owned();
            return if quote == '"' { inner.replace("\\n", "\n") } else { inner };
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn keys_have_the_values_that_a_shell_would_give_them() {
        let text = "# secrets\nA=1\nexport B = two words # and a comment\nC=\"x#y\\nz\"\nD='$E'\r\n\
                    E=a=b#c\nF=\nnothing\n1 2=3\n";
        let (values, unread) = parse(text);
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x#y\nz"),
            ("D", "$E"),
            ("E", "a=b#c"),
            ("F", ""),
        ];
        let found: Vec<_> = values.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, expected);
        assert_eq!(unread, [8, 9]);
    }
}
