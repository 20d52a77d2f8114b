//! The text of a file.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Why a file has no text.
#[derive(Debug)]
pub(crate) enum TextError {
    NotThere,
    /// Anything else, in words, and the line that it is about.
    Other {
        what: String,
        line: usize,
    },
}

/// The text of a file of at most `bytes_max`, without a byte-order mark.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, TextError> {
    let other = |what: String| TextError::Other { what, line: 1 };
    let bytes = match read_bytes(path, bytes_max + 1) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(TextError::NotThere),
        Err(error) => return Err(other(format!("cannot be read: {error}"))),
    };
    if bytes.len() as u64 > bytes_max {
        return Err(other(format!("has more than {bytes_max} bytes")));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(other("is UTF-16; save it as UTF-8".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + sound.iter().filter(|byte| **byte == b'\n').count();
        TextError::Other { what: "is not UTF-8 in this line; save it as UTF-8".to_owned(), line }
    })?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

/// The first `bytes_max` bytes of a file.
pub(crate) fn read_bytes(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for its other end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
