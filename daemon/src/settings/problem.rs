//! Problems of settings: where they are, what is wrong, and what would be right.

use std::fmt::{self, Write};

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, and the key in it or the variable that overrides it.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// All problems, in the order in which they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key of TOML may have any character.
        for character in self.place.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        write!(f, ": {}", self.what)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad settings")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn no_key_begins_a_new_line() {
        let problem = Problem { place: "a.toml: b\n\u{1b}[2J".into(), what: "is c".into() };
        assert_eq!(problem.to_string(), "a.toml: b\\n\\u{1b}[2J: is c");
    }
}
