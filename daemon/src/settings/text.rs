//! The text of a file with settings. Whatever is at the path, reading it comes to an end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
};

use nix::fcntl::OFlag;

use crate::secret_files;

/// The longest settings file.
const BYTES_MAX: u64 = 4 << 20;

/// Reads a settings file, which may have secrets.
pub fn read_settings_text(path: &Path) -> io::Result<String> {
    secret_files::note(path);
    read_text(path, BYTES_MAX, "4 MiB")
}

/// Reads a file of so many bytes at most, which are `size`. The error says what is there instead,
/// and fits behind the path.
pub(super) fn read_text(path: &Path, bytes_max: u64, size: &str) -> io::Result<String> {
    text_of(read_bytes(&open_file(path)?, bytes_max, size)?)
}

/// Reads an open file of so many bytes at most, which are `size`.
pub(crate) fn read_bytes(file: &File, bytes_max: u64, size: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it is longer than {size}")));
    }
    Ok(bytes)
}

/// The text that `bytes` are.
pub(super) fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let begin = [bytes.first(), bytes.get(1)];
    if matches!(begin, [Some(0xff), Some(0xfe)] | [Some(0xfe), Some(0xff)])
        || begin.contains(&Some(&0))
    {
        return Err(io::Error::other("it is in UTF-16 or UTF-32; save it in UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        io::Error::other(format!("it is not in UTF-8, in line {line}; save it in UTF-8"))
    })
}

/// Opens a file for reading. The error says what is there instead, and fits behind the path.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    // Before it is opened too: that may be all that a device waits for.
    check(&fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(metadata: &fs::Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe (FIFO)",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::other(format!("it is {what}, not a file")))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixListener, path::Path};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::{read_settings_text, read_text};

    fn problem(path: &Path) -> String {
        read_settings_text(path).unwrap_err().to_string()
    }

    /// Nobody writes to the pipe: reading it would never end.
    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        assert_eq!(problem(folder.path()), "it is a folder, not a file");
        assert_eq!(problem(&path("fifo")), "it is a pipe (FIFO), not a file");
        assert_eq!(problem(&path("socket")), "it is a socket, not a file");
        assert_eq!(problem(Path::new("/dev/zero")), "it is a device, not a file");
        assert!(problem(&path("missing")).contains("No such file"));
    }

    #[test]
    fn text_that_is_not_utf_8_or_too_long_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let utf_16: Vec<u8> = "a = 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [&utf_16[..], b"\xff\xfea\0", b"\xfe\xff\0a"] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(problem(&path), "it is in UTF-16 or UTF-32; save it in UTF-8");
        }
        fs::write(&path, b"a = 1\nb = \"\xe4\"\n").unwrap();
        assert_eq!(problem(&path), "it is not in UTF-8, in line 2; save it in UTF-8");
        fs::write(&path, "a = \"聊\"").unwrap();
        assert_eq!(read_settings_text(&path).unwrap(), "a = \"聊\"");
        let error = read_text(&path, 5, "5 bytes").unwrap_err();
        assert_eq!(error.to_string(), "it is longer than 5 bytes");
    }
}
