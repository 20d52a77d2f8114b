//! Changes the lines of the log on their way out.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// Writes lines as a function makes them.
#[derive(Debug)]
pub(super) struct Rewriter<W> {
    rewrite: fn(&str) -> Cow<'_, str>,
    to: W,
}

impl<W> Rewriter<W> {
    pub(super) fn new(rewrite: fn(&str) -> Cow<'_, str>, to: W) -> Self {
        Self { rewrite, to }
    }
}

impl<W: Write> Write for Rewriter<W> {
    /// Gets whole lines.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.to.write_all((self.rewrite)(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{
        super::{Redaction, redact},
        Rewriter,
    };

    #[test]
    fn the_log_has_no_token() {
        let _redaction = Redaction::of("token-in-the-log");
        let mut written = Vec::new();
        writeln!(Rewriter::new(redact, &mut written), "聊天 token-in-the-log").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "聊天 toke…\n");
    }
}
