//! Whether the system can execute a file, and why not.
//!
//! The system says only "No such file or directory" for a script whose interpreter is missing, and
//! runs a program for another processor as if it were a script.

mod elf;
mod shebang;

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::sys::statvfs::{FsFlags, statvfs};

use self::{elf::Elf, shebang::Shebang};

/// How much of a file says what it is.
const HEAD_BYTES: u64 = 64 << 10;
/// How many scripts may be interpreters of each other.
const DEPTH_MAX: usize = 4;

/// Why the system cannot execute a file, and what helps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Missing,
    NotExecutable,
    /// Its file system is mounted with `noexec`.
    NoExec,
    Empty,
    /// Something is before the first characters `#!`, which the system looks for.
    ByteOrderMark,
    /// Nothing is behind `#!`.
    NoInterpreter,
    /// The first line ends with a carriage return.
    CarriageReturn,
    /// The first line names an interpreter that cannot be executed.
    Interpreter(PathBuf, Box<Self>),
    /// The first line has `env` look for a program that is in none of the folders.
    NotInPath(String, String),
    /// The first line has words for `env`, which takes them for the name of one program.
    Words(PathBuf, String),
    /// It is for another kind of processor. A machine may have an emulator.
    Processor(&'static str),
    /// The loader that it names is missing.
    Loader(PathBuf),
}

/// How a text begins that some editors save: in UTF-8, and in both kinds of UTF-16. No program and
/// no script begins so.
const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

impl Flaw {
    /// What keeps the system from executing `file`, if that is known. Relative interpreters are
    /// looked for in `code`, programs for `env` in the folders of `path`.
    pub(crate) fn of(file: &Path, code: &Path, path: &str) -> Option<Self> {
        Self::at(file, code, path, 0)
    }

    fn at(file: &Path, code: &Path, path: &str, depth: usize) -> Option<Self> {
        let metadata = match fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Self::Missing),
            // Another user may be able to execute what this one cannot look at.
            Err(_) => return None,
        };
        if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
            return Some(Self::NotExecutable);
        }
        if statvfs(file).is_ok_and(|system| system.flags().contains(FsFlags::ST_NOEXEC)) {
            return Some(Self::NoExec);
        }
        // A file that cannot be read may be executed all the same.
        let head = head(file)?;
        if head.is_empty() {
            return Some(Self::Empty);
        }
        if let Some(elf) = Elf::of(&head) {
            return elf.flaw();
        }
        if MARKS.iter().any(|mark| head.starts_with(mark)) {
            return Some(Self::ByteOrderMark);
        }
        if Shebang::is_empty(&head) {
            return Some(Self::NoInterpreter);
        }
        let Shebang { interpreter, program, has_carriage_return } = Shebang::of(&head)?;
        if has_carriage_return {
            return Some(Self::CarriageReturn);
        }
        let interpreter = code.join(interpreter);
        if depth < DEPTH_MAX
            && let Some(flaw) = Self::at(&interpreter, code, path, depth + 1)
        {
            return Some(Self::Interpreter(interpreter, Box::new(flaw)));
        }
        let program = program?;
        let is_there = |folder: &str| {
            let found = fs::metadata(code.join(folder).join(&program));
            found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        if path.split(':').any(is_there) {
            return None;
        }
        Some(match program.contains([' ', '\t']) {
            true => Self::Words(interpreter, program),
            false => Self::NotInPath(program, path.to_owned()),
        })
    }

    /// Whether the file cannot be executed on any machine that is like this one.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            Self::Processor(_) => false,
            Self::Interpreter(_, flaw) => flaw.is_certain(),
            Self::Missing
            | Self::NotExecutable
            | Self::NoExec
            | Self::Empty
            | Self::ByteOrderMark
            | Self::NoInterpreter
            | Self::CarriageReturn
            | Self::NotInPath(..)
            | Self::Words(..)
            | Self::Loader(_) => true,
        }
    }
}

fn head(file: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some(head)
}

impl fmt::Display for Flaw {
    /// Fits after the name of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is not there"),
            Self::NotExecutable => f.write_str("is not executable; run chmod +x on it"),
            Self::NoExec => f.write_str(
                "is on a file system that is mounted with noexec; put it elsewhere, or mount that \
                 without noexec",
            ),
            Self::Empty => f.write_str("is empty"),
            Self::ByteOrderMark => f.write_str(
                "begins with a byte order mark, so that its first line names no interpreter; save \
                 it as UTF-8 without one (BOM)",
            ),
            Self::NoInterpreter => f.write_str(
                "names no interpreter behind #! in its first line; write one, such as #!/bin/sh",
            ),
            Self::CarriageReturn => f.write_str(
                "has the line ends of Windows (CRLF), so that its interpreter is not found; \
                 convert it, for example with sed -i 's/\\r$//'",
            ),
            Self::Interpreter(interpreter, flaw) => {
                let interpreter = interpreter.display();
                write!(f, "names the interpreter {interpreter} in its first line, which {flaw}")
            }
            Self::NotInPath(program, path) => write!(
                f,
                "names {program} in its first line, which is not in the folders {path}; install \
                 it, or set PATH in environment"
            ),
            Self::Words(env, words) => {
                let env = env.display();
                write!(
                    f,
                    "has {words:?} after {env} in its first line, which is taken for the name of \
                     one program; use #!{env} -S {words}"
                )
            }
            Self::Processor(kind) => {
                write!(f, "is a program for {kind} processors; build it for this machine")
            }
            Self::Loader(loader) => {
                let loader = loader.display();
                write!(
                    f,
                    "needs the loader {loader}, which is not there; link it statically, or \
                           build it for this system"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
