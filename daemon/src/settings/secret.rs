//! Secrets in settings: texts that stand in the settings file, in a variable, or in a file of
//! their own. No message and no log shows them.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{
    Kind, Section, path,
    text::{open_file, read_bytes, text_of},
};
use crate::access::{problem_of_public_file, problem_of_secret_file};

/// The shortest key that requests are signed with. One of 16 random bytes cannot be guessed; those
/// of the cloud are longer.
const KEY_BYTES_MIN: usize = 16;

/// The longest file of a secret.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What is wrong with an open file, if others may do with it what they must not.
type Check = fn(&Path, &File) -> io::Result<Option<String>>;

/// A text that only its owner may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What stands at the key of a secret.
#[derive(Debug)]
pub enum Given {
    /// Nothing.
    No,
    /// Something that is not valid, which is noted.
    Unsound,
    /// A secret.
    Sound(Secret),
}

impl Secret {
    /// Keeps `text` out of messages and logs.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Which keys that requests are signed with are valid.
    pub const KEY_VALUES: &str = "a string of at least 16 bytes";

    /// What is wrong with a key that requests are signed with, and what would be right.
    pub fn check_key(key: &str) -> Result<(), String> {
        let values = Self::KEY_VALUES;
        let problem =
            || format!("is shorter than {KEY_BYTES_MIN} bytes; use {values}, from a random source");
        (key.len() >= KEY_BYTES_MIN).then_some(()).ok_or_else(problem)
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

impl Section {
    /// Reads a secret. `values` says in words which ones are valid; `check` says what is wrong with
    /// the one that is given, and must not repeat it.
    pub fn read_secret(
        &mut self,
        key: &'static str,
        values: &str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Given {
        self.note_inline_secret(key, None);
        self.read_value(key, values, check)
    }

    fn read_value(
        &mut self,
        key: &'static str,
        values: &str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Given {
        // Takes any value: the message for a value of another kind would show it.
        let anything = Kind::new(values, |value| Some(value.as_str().map(str::to_owned)));
        let Some(value) = self.read(key, &anything) else { return Given::No };
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            self.problem(key, "is not a string with something in it; put it in quotes");
            return Given::Unsound;
        };
        self.checked(key, value, check)
    }

    /// Reads a secret that stands at `key`, or in the file that `file_key` names. A relative path
    /// starts at `base`. The newline at the end of the file does not belong to the secret. A file
    /// that every user of the machine may read, or others may change, is refused.
    pub fn read_secret_or_file(
        &mut self,
        keys: [&'static str; 2],
        base: &Path,
        values: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Given {
        self.note_inline_secret(keys[0], Some(keys[1]));
        self.read_value_or_file(keys, base, values, check, problem_of_secret_file)
    }

    /// The same for a text that everybody may read and only the owner of its file may change, such
    /// as a public key.
    pub fn read_public_or_file(
        &mut self,
        keys: [&'static str; 2],
        base: &Path,
        values: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Given {
        self.read_value_or_file(keys, base, values, check, problem_of_public_file)
    }

    fn read_value_or_file(
        &mut self,
        [key, file_key]: [&'static str; 2],
        base: &Path,
        values: &str,
        check: impl Fn(&str) -> Result<(), String>,
        problem_of: Check,
    ) -> Given {
        let given = self.read_value(key, values, &check);
        let Some(file) = self.read(file_key, &path(base)) else { return given };
        if !matches!(given, Given::No) {
            self.problem(file_key, format!("is set together with {key}; set one of them"));
            return Given::Unsound;
        }
        self.note_secret_file(&file);
        match read_file(&file, problem_of) {
            Ok(text) => self.checked(file_key, text, check),
            Err(problem) => {
                self.problem(file_key, problem);
                Given::Unsound
            }
        }
    }

    /// Reads a table whose keys are the user's own, each with the file of a secret. A relative path
    /// starts at `base`. The files are as for [`Self::read_secret_or_file`].
    pub fn read_secret_files(&mut self, key: &'static str, base: &Path) -> Vec<(String, Given)> {
        let files = self.entries(key, &path(base));
        let read = |(name, file): (String, PathBuf)| {
            self.note_secret_file(&file);
            let given = match read_file(&file, problem_of_secret_file) {
                Ok(text) => Given::Sound(Secret(text)),
                Err(what) => {
                    self.problem(&format!("{key}.{name}"), what);
                    Given::Unsound
                }
            };
            (name, given)
        };
        files.into_iter().map(read).collect()
    }

    fn checked(
        &self,
        key: &str,
        value: String,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Given {
        match check(&value) {
            Ok(()) => Given::Sound(Secret(value)),
            Err(problem) => {
                self.problem(key, problem);
                Given::Unsound
            }
        }
    }
}

fn read_file(file: &Path, problem_of: Check) -> Result<String, String> {
    let shown = file.display();
    let unreadable = |error| format!("{shown} cannot be read: {error}");
    let opened = open_file(file).map_err(unreadable)?;
    if let Some(what) = problem_of(file, &opened).map_err(unreadable)? {
        return Err(format!("{shown} {what}"));
    }
    secret_in(&opened).map_err(unreadable)
}

/// Reads an open file with a secret. The newline at its end does not belong to the secret.
pub(crate) fn secret_in(file: &File) -> io::Result<String> {
    let mut text = text_of(read_bytes(file, FILE_BYTES_MAX, "64 KiB")?)?;
    // Some editors put a byte order mark in front.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, chown},
    };

    use nix::unistd::Uid;

    use super::*;
    use crate::settings::{Document, SettingsError};

    /// A file for its owner alone.
    fn write(file: &Path, text: impl AsRef<[u8]>) {
        fs::write(file, text).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }

    fn check(text: &str) -> Result<(), String> {
        if text.len() < 4 { Err("is too short; use 4 characters".to_owned()) } else { Ok(()) }
    }

    fn read(text: &str, base: &Path) -> Result<Option<String>, SettingsError> {
        let document = Document::parse(Path::new("a.toml"), text, "A", &BTreeMap::new())?;
        document.read(|root| {
            match root.read_secret_or_file(["key", "key_file"], base, "a secret", check) {
                Given::No => Some(None),
                Given::Unsound => None,
                Given::Sound(secret) => Some(Some(secret.reveal().to_owned())),
            }
        })
    }

    #[test]
    fn a_secret_stands_in_the_settings_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("unix", "hunter2\n"), ("windows", "hunter2\r\n"), ("bare", "hunter2")]
        {
            write(&folder.path().join(name), text);
            let read = read(&format!("key_file = \"{name}\""), folder.path());
            assert_eq!(read.unwrap().unwrap(), "hunter2");
        }
        assert_eq!(read("key = \"hunter2\"", folder.path()).unwrap().unwrap(), "hunter2");
        assert_eq!(read("", folder.path()).unwrap(), None);
    }

    #[test]
    fn a_wrong_secret_is_named_by_its_key_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(65 << 10);
        let files: [(&str, &[u8]); 4] = [
            ("empty", b"\n"),
            ("long", long.as_bytes()),
            ("bytes", b"hun\xff"),
            ("short", b"hun\n"),
        ];
        for (name, text) in files {
            write(&folder.path().join(name), text);
        }
        for (text, words) in [
            ("key = \"hun\"", "key: is too short; use 4 characters"),
            ("key = 7", "key: is not a string with something in it"),
            ("key_file = \"short\"", "key_file: is too short; use 4 characters"),
            ("key_file = \"empty\"", "empty cannot be read: it is empty"),
            ("key_file = \"long\"", "long cannot be read: it is longer than 64 KiB"),
            ("key_file = \"bytes\"", "bytes cannot be read: it is not in UTF-8, in line 1"),
            ("key_file = \"nowhere\"", "nowhere cannot be read: No such file"),
            ("key_file = \".\"", "cannot be read: it is a folder, not a file"),
            (
                "key = \"hunter2\"\nkey_file = \"short\"",
                "key_file: is set together with key; set one of them",
            ),
        ] {
            let problem = read(text, folder.path()).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
            assert!(!problem.contains("hun"), "{problem}");
        }
    }

    /// Whoever can change the file chooses who is let in.
    #[test]
    fn a_file_that_others_may_read_or_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        write(&file, "hunter2");
        for (mode, others_can) in [
            (0o600, None),
            (0o640, None),
            (0o440, None),
            (0o644, Some("read or change it")),
            (0o620, Some("read or change it")),
            (0o602, Some("read or change it")),
        ] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let read = read("key_file = \"key\"", folder.path());
            assert_eq!(read.is_ok(), others_can.is_none(), "{mode:o}");
            let (Some(others_can), Err(problem)) = (others_can, read) else { continue };
            let words = format!(
                "key has the permissions {mode:03o}, so that other users of this machine can \
                 {others_can}; use 600 or 640: chmod 600 "
            );
            let problem = problem.to_string();
            assert!(problem.contains(&words), "{problem}");
            assert!(problem.contains("defaultMode: 0440") && problem.contains("mode: 0400"));
        }
    }

    /// Its owner can change it, whatever the permissions are. Only root may give files away.
    #[test]
    fn a_file_of_another_user_is_refused() {
        if !Uid::effective().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        write(&file, "hunter2");
        chown(&file, Some(12_345), None).unwrap();
        let problem = read("key_file = \"key\"", folder.path()).unwrap_err().to_string();
        assert!(problem.contains("key belongs to the user with the number 12345"), "{problem}");
    }

    #[test]
    fn a_public_text_may_be_read_by_all_and_changed_by_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        write(&file, "public");
        for (mode, is_good) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let document = "key_file = 'key'";
            let document = Document::parse(Path::new("a.toml"), document, "A", &BTreeMap::new());
            let read = document.unwrap().read(|root| {
                let keys = ["key", "key_file"];
                match root.read_public_or_file(keys, folder.path(), "a key", check) {
                    Given::Sound(key) => Some(key),
                    Given::No | Given::Unsound => None,
                }
            });
            assert_eq!(read.is_ok(), is_good, "{mode:o}");
        }
    }

    #[test]
    fn each_key_of_a_table_may_have_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        write(&file, "hunter2\n");
        let read = || {
            let text = "files = { KEY = 'key', OTHER = 'nowhere' }";
            let document = Document::parse(Path::new("a.toml"), text, "A", &BTreeMap::new());
            let mut found = Vec::new();
            let read = document.unwrap().read(|root| {
                found = root.read_secret_files("files", folder.path());
                let names = ["key", "nowhere"].map(|name| folder.path().join(name));
                assert_eq!(root.secret_files(), names);
                Some(())
            });
            (found, read.unwrap_err().to_string())
        };
        for (mode, words) in [(0o600, None), (0o640, None), (0o604, Some("the permissions 604"))] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let (found, problems) = read();
            let sound = matches!(&found[0], (key, Given::Sound(it)) if key == "KEY" && it.reveal() == "hunter2");
            assert_eq!(sound, words.is_none());
            assert!(problems.contains("files.OTHER: ") && problems.contains("No such file"));
            assert!(words.is_none_or(|words| problems.contains(words)), "{problems}");
            assert!(!problems.contains("hunter2"), "{problems}");
        }
    }

    #[test]
    fn a_secret_is_not_in_debug_output() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret { .. }");
    }
}
