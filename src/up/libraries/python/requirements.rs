//! `requirements.txt`, as far as it can be installed somewhere else: without packages that are
//! folders or files of the author, which pip would write into.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// How deep files may name others.
const DEPTH_MAX: usize = 5;
const BYTES_MAX: u64 = 256 << 10;

#[derive(Debug, Clone, Default)]
pub(super) struct Requirements {
    pub(super) file: PathBuf,
    /// A requirement or an option on each line, with those of files that it names.
    pub(super) text: String,
    /// The packages, as they are written.
    pub(super) names: Vec<String>,
    /// Lines of the file that are left out.
    pub(super) left_out: Vec<(usize, String)>,
}

impl Requirements {
    pub(super) fn read(file: &Path) -> io::Result<Self> {
        let mut requirements = Self { file: file.to_owned(), ..Self::default() };
        requirements.add(file, 0)?;
        Ok(requirements)
    }

    /// Whether a package is listed, or a part of it: `tencentcloud-sdk-python-cvm` has what
    /// `tencentcloud-sdk-python` has.
    pub(super) fn has(&self, distribution: &str) -> bool {
        let wanted = normal(distribution);
        let parts = format!("{wanted}-");
        let mut names = self.names.iter().map(|name| normal(name));
        names.any(|name| name == wanted || name.starts_with(&parts))
    }

    fn add(&mut self, file: &Path, depth: usize) -> io::Result<()> {
        let text = text_of(file)?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        for (number, line) in lines(&text) {
            let (option, value) = option(&line);
            match option {
                Some("-r" | "--requirement") if depth < DEPTH_MAX => {
                    self.add(&folder.join(value), depth + 1)?;
                }
                Some("-c" | "--constraint") => {
                    self.text += &format!("-c {}\n", folder.join(value).display());
                }
                Some("-r" | "--requirement" | "-e" | "--editable") => {
                    self.left_out.push((number, line));
                }
                Some(_) => self.text += &format!("{line}\n"),
                None if is_local(&line) => self.left_out.push((number, line)),
                None => {
                    self.names.push(name(&line).to_owned());
                    self.text += &format!("{line}\n");
                }
            }
        }
        Ok(())
    }
}

/// The text of a file. Some editors and shells write UTF-16.
fn text_of(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    let bytes = fs::read(file)?;
    let words = |from: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        String::from_utf16_lossy(&pairs.collect::<Vec<_>>())
    };
    Ok(match &bytes[..] {
        [0xFF, 0xFE, ..] => words(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => words(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// The lines that say something, each with its number, without comments. A `\` joins two lines.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let line = if line.starts_with('#') { "" } else { line };
        let (line, continues) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        match found.last_mut().filter(|_| goes_on) {
            Some((_, before)) => *before = format!("{} {}", before.trim_end(), line.trim()),
            None => found.push((number, line.trim().to_owned())),
        }
        goes_on = continues;
    }
    found.retain(|(_, line)| !line.is_empty());
    found
}

/// The option that a line begins with, and the rest of it.
fn option(line: &str) -> (Option<&str>, &str) {
    if !line.starts_with('-') {
        return (None, line);
    }
    let short = ["-r", "-c", "-e"].into_iter().find(|short| line.starts_with(short));
    let end = match short {
        Some(short) => short.len(),
        None => line.find([' ', '=', '\t']).unwrap_or(line.len()),
    };
    let (option, value) = line.split_at(end);
    (Some(option), value.trim_start_matches(['=', ' ', '\t']))
}

/// Whether a requirement is a path.
fn is_local(line: &str) -> bool {
    let first = line.split([' ', ';', '[']).next().unwrap_or_default();
    let is_address = first.contains("://") && !first.starts_with("file:");
    let path = line.split_once('@').map_or(first, |(_, address)| address.trim());
    path.starts_with("file:")
        || first.starts_with(['.', '/', '~'])
        || (!is_address && !line.contains('@') && first.contains('/'))
}

fn name(line: &str) -> &str {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    &line[..line.find(|c: char| !is_of_name(c)).unwrap_or(line.len())]
}

/// Names of packages are the same however they are written (PEP 503).
fn normal(name: &str) -> String {
    let name = name.split(['<', '=', '>', '[']).next().unwrap_or_default().to_lowercase();
    let parts: Vec<_> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Requirements;

    fn read(files: &[(&str, &[u8])]) -> Requirements {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let mut requirements = Requirements::read(&folder.path().join("requirements.txt")).unwrap();
        let text = requirements.text.replace(folder.path().to_str().unwrap(), "<folder>");
        requirements.text = text;
        requirements
    }

    #[test]
    fn lines_are_taken_as_pip_takes_them() {
        let text = "# all\nrequests==2.25.1  # pinned\n\nnumpy >= 1 ; python_version > '3' \\\n  \
                    --hash=sha256:00\n-r more.txt\n--index-url https://x/simple\n-c limits.txt\n\
                    PyYAML[extra]>5\nx @ https://x/x.whl\n";
        let found = read(&[("requirements.txt", text.as_bytes()), ("more.txt", b"six")]);
        assert_eq!(
            found.text,
            "requests==2.25.1\nnumpy >= 1 ; python_version > '3' --hash=sha256:00\nsix\n\
             --index-url https://x/simple\n-c <folder>/limits.txt\nPyYAML[extra]>5\n\
             x @ https://x/x.whl\n"
        );
        assert_eq!(found.names, ["requests", "numpy", "six", "PyYAML", "x"]);
        assert!(found.left_out.is_empty());
    }

    #[test]
    fn packages_of_the_author_are_left_out() {
        let text = b"-e .\n./libs/a.whl\nsix\nlibs/b.whl\nfile:///x.whl\nx @ file:///x.whl\n../c\n";
        let found = read(&[("requirements.txt", text)]);
        assert_eq!(found.names, ["six"]);
        let lines: Vec<_> = found.left_out.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 4, 5, 6, 7]);
    }

    #[test]
    fn files_of_other_encodings_are_read() {
        let wide: Vec<u8> = "\u{feff}six\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&[("requirements.txt", &wide)]).names, ["six"]);
        assert_eq!(read(&[("requirements.txt", b"\xEF\xBB\xBFsix\r\n")]).names, ["six"]);
        // It names itself.
        assert_eq!(read(&[("requirements.txt", b"-rrequirements.txt")]).left_out.len(), 1);
    }

    #[test]
    fn packages_are_known_by_any_spelling() {
        let text = b"Cos_Python.SDK-v5\ntencentcloud-sdk-python-cvm\n";
        let found = read(&[("requirements.txt", text)]);
        for (name, expected) in [
            ("cos-python-sdk-v5", true),
            ("tencentcloud-sdk-python", true),
            ("cos-python", true),
            ("sdk", false),
            ("setuptools<81", false),
        ] {
            assert_eq!(found.has(name), expected, "{name}");
        }
    }
}
