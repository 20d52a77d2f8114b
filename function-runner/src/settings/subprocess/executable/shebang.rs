//! The first line of a script, which names its interpreter.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shebang<'a> {
    pub(super) interpreter: &'a Path,
    /// The program that the interpreter `env` looks for, unless it is named with its folder. None
    /// if that is not known.
    pub(super) program: Option<String>,
    pub(super) has_carriage_return: bool,
}

impl<'a> Shebang<'a> {
    /// Whether the first line of a script with this `head` names no interpreter.
    pub(super) fn is_empty(head: &[u8]) -> bool {
        let line =
            head.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next());
        line.is_some_and(|line| line.trim_ascii().is_empty())
    }

    /// `None` if a file with this `head` is no script.
    pub(super) fn of(head: &'a [u8]) -> Option<Self> {
        let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        let has_carriage_return = line.ends_with(b"\r");
        let line = line.trim_ascii();
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (interpreter, argument) = line.split_at(end);
        if interpreter.is_empty() {
            return None;
        }
        let interpreter = Path::new(OsStr::from_bytes(interpreter));
        let is_env = interpreter.file_name() == Some(OsStr::new("env"));
        let program = is_env.then(|| program(argument.trim_ascii())).flatten();
        let program = program.map(|program| String::from_utf8_lossy(program).into_owned());
        Some(Self { interpreter, program, has_carriage_return })
    }
}

/// The program that `env` looks for. The system gives it all of `argument` as one.
fn program(argument: &[u8]) -> Option<&[u8]> {
    let program = match argument.strip_prefix(b"-S") {
        Some(words) => first_program(words)?,
        None => argument,
    };
    let is_name = !program.is_empty() && !program.starts_with(b"-") && !program.contains(&b'=');
    (is_name && !program.contains(&b'/')).then_some(program)
}

/// The first of the words that is no variable. None where an option or a quoted word comes before:
/// they may have any meaning.
fn first_program(words: &[u8]) -> Option<&[u8]> {
    let is_plain = |word: &&[u8]| !word.iter().any(|byte| b"\"'\\$#".contains(byte));
    let mut words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let program = words.find(|word| {
        let is_variable = word.contains(&b'=') && !word.starts_with(b"PATH=") && is_plain(word);
        !is_variable && *word != b"--"
    })?;
    Some(program).filter(is_plain)
}
