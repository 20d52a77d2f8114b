//! The folder with the key of the account and the certificate, of one authority.
//!
//! It is for the user of this process alone. A file is replaced in one step, so that a crash leaves
//! the one of before.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use rcgen::KeyPair;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::{Url, form_urlencoded::byte_serialize};

use super::super::{
    files::PairFiles,
    own_files::write,
    pair::{Pair, key},
};
use crate::{
    access::{Others, problem_of_own_folder},
    secret_files,
};

/// The folder of an authority, below that of the settings.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens or makes the folder in `dir` for the authority at `directory`. Each authority has its
    /// own: a certificate for trials must not be taken for another one.
    pub(super) fn open(dir: &Path, directory: &Url) -> io::Result<Self> {
        if let Some(above) = dir.parent() {
            fs::create_dir_all(above)?;
        }
        let folder = dir.join(name_of(directory));
        for made in [dir, &folder] {
            DirBuilder::new().recursive(true).mode(0o700).create(made)?;
            let problem = problem_of_own_folder(&fs::metadata(made)?, Others::DoNothing);
            if let Some(what) = problem {
                return Err(io::Error::other(format!("{} {what}", made.display())));
            }
        }
        let folder = Self(folder);
        // Before there is anything in it, as functions may start first.
        secret_files::note_folder(&folder.0);
        Ok(folder)
    }

    /// The certificate of before. None if there is none yet. The error says why it cannot be used.
    pub(super) fn kept(&self) -> Result<Option<Pair>, String> {
        let file = self.certificate();
        if !file.exists() {
            return Ok(None);
        }
        read(&file).map(Some)
    }

    /// The key of the account, made if there is none yet.
    pub(super) fn account_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let file = self.account();
        if !file.exists() {
            let made = KeyPair::generate().map_err(|error| error.to_string())?;
            write(&file, 0o600, &made.serialize_pem())
                .map_err(|error| unwritable(&file, &error))?;
        }
        key::read(&file)
    }

    /// Writes the key of a certificate that is not issued yet, in PEM. A folder that cannot be
    /// written to must be found before the order counts for the limits of the authority.
    pub(super) fn prepare(&self, key: &str) -> Result<(), String> {
        let file = self.next();
        write(&file, 0o600, key).map_err(|error| unwritable(&file, &error))
    }

    /// Writes the certificate that was issued for `key`, with its chain, beside the one of before.
    /// All in PEM.
    pub(super) fn receive(&self, key: &str, chain: &str) -> Result<Pair, String> {
        self.prepare(&format!("{key}{chain}"))?;
        read(&self.next())
    }

    /// Keeps what was received in place of the one of before.
    pub(super) fn keep(&self, received: Pair) -> Result<Pair, String> {
        let file = self.certificate();
        fs::rename(self.next(), &file).map_err(|error| unwritable(&file, &error))?;
        Ok(Pair { cert: file, ..received })
    }

    fn account(&self) -> PathBuf {
        self.0.join("account.key")
    }

    fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    fn next(&self) -> PathBuf {
        self.0.join("next.pem")
    }
}

/// The name of the folder of an authority.
fn name_of(directory: &Url) -> String {
    let address = directory.as_str().trim_start_matches("https://");
    byte_serialize(address.as_bytes()).collect()
}

/// Reads a file that has a certificate and its key.
fn read(file: &Path) -> Result<Pair, String> {
    let files = PairFiles { cert: file.to_owned(), key: file.to_owned() };
    Pair::read(&files).map_err(|problems| {
        let whats: Vec<_> = problems.into_iter().map(|problem| problem.what).collect();
        whats.join("; ")
    })
}

fn unwritable(file: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", file.display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::{super::super::testing::TestAuthority, *};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_is_kept_is_for_one_authority_and_one_user() {
        let authority = TestAuthority::new();
        authority.issue("a", &["a.example"]);
        let [chain, key] = ["a.pem", "a.key"].map(|name| fs::read_to_string(authority.path(name)));
        let dir = authority.path("data/acme");
        let folder = Folder::open(&dir, &url("https://acme.example:14000/dir")).unwrap();
        assert!(folder.kept().unwrap().is_none());
        let account = folder.account_key().unwrap();
        assert_eq!(folder.account_key().unwrap(), account, "it stays");
        folder.prepare(key.as_ref().unwrap()).unwrap();
        assert!(folder.kept().unwrap().is_none(), "it is not issued yet");
        let received = folder.receive(&key.unwrap(), &chain.unwrap()).unwrap();
        assert!(folder.kept().unwrap().is_none(), "it may be wrong");
        folder.keep(received).unwrap();
        assert_eq!(folder.kept().unwrap().unwrap().names, ["a.example"]);

        let own = dir.join("acme.example%3A14000%2Fdir");
        assert_eq!([mode(&dir), mode(&own)], [0o700; 2]);
        for file in ["account.key", "certificate.pem"] {
            assert_eq!(mode(&own.join(file)), 0o600, "{file}");
        }
        let other = Folder::open(&dir, &url("https://staging.example/dir")).unwrap();
        assert!(other.kept().unwrap().is_none());
        assert_ne!(other.account_key().unwrap(), account);
    }

    #[test]
    fn what_was_issued_for_another_key_is_not_used() {
        let authority = TestAuthority::new();
        authority.issue("a", &["a.example"]);
        authority.issue("b", &["a.example"]);
        let [chain, key] =
            ["a.pem", "b.key"].map(|name| fs::read_to_string(authority.path(name)).unwrap());
        let dir = authority.path("acme");
        let folder = Folder::open(&dir, &url("https://acme.example/")).unwrap();
        let problem = folder.receive(&key, &chain).unwrap_err();
        assert!(problem.contains("does not belong to the certificate"), "{problem}");
        assert!(folder.kept().unwrap().is_none());
    }

    #[test]
    fn a_folder_of_keys_that_others_may_use_is_refused() {
        let authority = TestAuthority::new();
        let dir = authority.path("acme");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o750)).unwrap();
        let error = Folder::open(&dir, &url("https://acme.example/")).unwrap_err();
        assert!(error.to_string().contains("has the permissions 750"), "{error}");
    }
}
