//! A compiled program: for which processor it is, and which loader it needs.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use super::Flaw;

const MAGIC: &[u8] = b"\x7fELF";
/// The type of the part of a program that names the loader.
const LOADER: u64 = 3;

/// The head of a program.
pub(super) struct Elf<'a> {
    head: &'a [u8],
    is_64_bit: bool,
}

impl<'a> Elf<'a> {
    /// `None` if a file with this `head` is no program. Numbers are read in the order of bytes of
    /// this machine. A program of a machine with the other order has no known processor then, so
    /// it is refused as one for another processor.
    pub(super) fn of(head: &'a [u8]) -> Option<Self> {
        head.starts_with(MAGIC).then(|| Self { head, is_64_bit: head.get(4) == Some(&2) })
    }

    pub(super) fn flaw(&self) -> Option<Flaw> {
        let own = super::head(Path::new("/proc/self/exe"));
        let own = own.as_deref().and_then(Elf::of).and_then(|own| own.processor());
        let processor = self.processor();
        if let (Some(own), Some(processor)) = (own, processor)
            && !runs_on(processor, own)
        {
            return Some(Flaw::Processor(name_of(processor)));
        }
        let loader = self.loader()?;
        (!fs::exists(loader).unwrap_or(true)).then(|| Flaw::Loader(loader.to_owned()))
    }

    fn processor(&self) -> Option<u64> {
        self.number(18, 2)
    }

    fn loader(&self) -> Option<&'a Path> {
        // Where the table of parts is, how large an entry is, and how many there are.
        let (table, size, count) = if self.is_64_bit {
            (self.number(32, 8)?, self.number(54, 2)?, self.number(56, 2)?)
        } else {
            (self.number(28, 4)?, self.number(42, 2)?, self.number(44, 2)?)
        };
        let entries = (0..count).filter_map(|entry| table.checked_add(entry * size));
        let entry = entries.into_iter().find(|entry| self.number(*entry, 4) == Some(LOADER))?;
        let (begin, length) = if self.is_64_bit {
            (self.number(entry + 8, 8)?, self.number(entry + 32, 8)?)
        } else {
            (self.number(entry + 4, 4)?, self.number(entry + 16, 4)?)
        };
        let name = self.bytes(begin, length)?.split(|byte| *byte == 0).next()?;
        Some(Path::new(OsStr::from_bytes(name)))
    }

    fn number(&self, at: u64, bytes: usize) -> Option<u64> {
        let found = self.bytes(at, bytes as u64)?;
        Some(found.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn bytes(&self, at: u64, length: u64) -> Option<&'a [u8]> {
        let at = usize::try_from(at).ok()?;
        self.head.get(at..at.checked_add(usize::try_from(length).ok()?)?)
    }
}

const X86: u64 = 3;
const ARM: u64 = 40;
const X86_64: u64 = 62;
const AARCH64: u64 = 183;

/// Whether a program for `processor` may run on a machine with `own`.
fn runs_on(processor: u64, own: u64) -> bool {
    processor == own || matches!((processor, own), (X86, X86_64) | (ARM, AARCH64))
}

fn name_of(processor: u64) -> &'static str {
    match processor {
        X86 => "x86",
        ARM => "arm",
        X86_64 => "x86_64",
        AARCH64 => "aarch64",
        243 => "riscv",
        _ => "other",
    }
}
