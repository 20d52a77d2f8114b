//! The first line of a script, which names its interpreter.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shebang<'a> {
    pub(super) interpreter: &'a Path,
    /// The program that the interpreter `env` looks for, unless it is named with its folder.
    pub(super) program: Option<String>,
    pub(super) has_carriage_return: bool,
}

impl<'a> Shebang<'a> {
    /// `None` if a file with this `head` is no script.
    pub(super) fn of(head: &'a [u8]) -> Option<Self> {
        let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        let has_carriage_return = line.ends_with(b"\r");
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let interpreter = Path::new(OsStr::from_bytes(words.next()?));
        let is_env = interpreter.file_name() == Some(OsStr::new("env"));
        let program = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='));
        let program = program.filter(|program| is_env && !program.contains(&b'/'));
        let program = program.map(|program| String::from_utf8_lossy(program).into_owned());
        Some(Self { interpreter, program, has_carriage_return })
    }
}
