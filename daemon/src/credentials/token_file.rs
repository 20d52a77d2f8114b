//! Files with an access token. The first process that needs the file makes it.
//!
//! Two processes that start at once agree on one token: the file appears under its name when it is
//! whole, and only if no other file has the name.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::AccessToken;
use crate::{
    access::{problem_of_secret_file, user},
    settings::{Secret, open_file, secret_in},
};

/// The token in `file`, which is made if it is not there. The error says what is wrong, and what
/// would be right.
pub(super) fn open(file: &Path) -> Result<AccessToken, String> {
    let opened = read(file).and_then(|found| match found {
        Some(token) => Ok(token),
        None => {
            make(file).map_err(|error| unusable(file, "made", &error))?;
            let gone = || io::Error::from(io::ErrorKind::NotFound);
            read(file)?.ok_or_else(|| unusable(file, "read", &gone()))
        }
    });
    opened.map_err(|what| format!("{} {what}", file.display()))
}

/// The token in `file`, if there is a file.
fn read(file: &Path) -> Result<Option<AccessToken>, String> {
    let opened = match open_file(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(file, "read", &error)),
    };
    let unreadable = |error: io::Error| unusable(file, "read", &error);
    if let Some(what) = problem_of_secret_file(file, &opened).map_err(unreadable)? {
        return Err(format!("{what}; others may have the token: remove the file for a new one"));
    }
    let text = secret_in(&opened).map_err(unreadable)?;
    AccessToken::new(Secret::new(text)).map(Some)
}

/// Makes the file with a new token, unless another process has made one.
fn make(file: &Path) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder)?;
    }
    let draft = Draft(file.with_file_name(format!(".token-{}", Uuid::new_v4().simple())));
    let mut text = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0)?;
    writeln!(text, "{}", AccessToken::random().reveal())?;
    text.sync_all()?;
    match fs::hard_link(&draft.0, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A file that is removed at the end, under this name.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // If it stays, its token opens nothing, or what the file of the same content opens.
        let _ = fs::remove_file(&self.0);
    }
}

fn unusable(file: &Path, verb: &str, error: &io::Error) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    let right = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
            "free space there".to_owned()
        }
        _ => format!("let this user write in {folder:?}, or name a file that the user can read"),
    };
    format!("cannot be {verb} by user {}: {error}; {right}", user())
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        os::unix::fs::{PermissionsExt, chown},
        sync::{Arc, Barrier},
        thread,
    };

    use nix::unistd::Uid;

    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o7777
    }

    /// Whoever is second reads what the first has made.
    #[test]
    fn many_starters_at_once_agree_on_one_token() {
        const STARTERS: usize = 16;
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let file = Arc::new(folder.path().join("new/service.token"));
            let barrier = Arc::new(Barrier::new(STARTERS));
            let starters = (0..STARTERS).map(|_| {
                let (file, barrier) = (Arc::clone(&file), Arc::clone(&barrier));
                thread::spawn(move || {
                    barrier.wait();
                    open(&file).unwrap().reveal().to_owned()
                })
            });
            let starters: Vec<_> = starters.collect();
            let tokens: BTreeSet<_> = starters.into_iter().map(|it| it.join().unwrap()).collect();
            assert_eq!(tokens.len(), 1, "{} tokens", tokens.len());
            assert_eq!(mode(&file), 0o600);
            // Nothing else is left.
            assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_file_is_refused_if_others_may_read_it_or_own_it_or_if_it_has_no_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.token");
        let token = "hunter2-hunter2-hunter2";
        for (text, mode, words) in [
            (token, 0o644, "has the permissions 644, so that other users of this machine"),
            (token, 0o620, "has the permissions 620, so that other users of this machine"),
            (token, 0o602, "has the permissions 602"),
            ("hunter2", 0o600, "is shorter than 16 characters"),
            ("hunter2 hunter2 hunter2", 0o600, "is not a token"),
            ("", 0o600, "it is empty"),
        ] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let problem = open(&file).unwrap_err();
            assert!(problem.contains(words) && !problem.contains("hunter2"), "{problem}");
            assert!(problem.starts_with(&file.display().to_string()), "{problem}");
        }
        fs::write(&file, format!("{token}\n")).unwrap();
        for mode in [0o600, 0o640, 0o400] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(open(&file).unwrap().reveal(), token);
        }
        // Only root may give files away.
        if Uid::effective().is_root() {
            chown(&file, Some(12_345), None).unwrap();
            let problem = open(&file).unwrap_err();
            assert!(problem.contains("belongs to the user with the number 12345"), "{problem}");
        }
        let problem = open(folder.path()).unwrap_err();
        assert!(problem.contains("it is a folder"), "{problem}");
        // A folder cannot be made below a file.
        let problem = open(&file.join("b.token")).unwrap_err();
        assert!(problem.contains("Not a directory"), "{problem}");
    }
}
