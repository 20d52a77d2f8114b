//! Secrets that stand in a settings file itself. Unlike the file of a secret, a settings file is
//! not refused if every user of the machine may read it, since most of its content is no secret.
//! The log warns.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::access::all_may_read;

/// How many keys a message lists.
const LISTED_MAX: usize = 10;

/// Which keys of a settings file have a secret that stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InlineSecrets {
    file: PathBuf,
    keys: Vec<InlineSecret>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InlineSecret {
    pub(super) key: String,
    /// The key that names a file with the secret instead, if there is one.
    pub(super) file_key: Option<&'static str>,
}

/// A settings file has secrets, and every user of this machine may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) file: PathBuf,
    /// The permissions of the file.
    pub(crate) mode: u32,
    /// The keys of the secrets, listed.
    pub(crate) keys: String,
    /// What would be right.
    pub(crate) right: String,
}

impl InlineSecrets {
    pub(super) fn new(file: &Path, keys: Vec<InlineSecret>) -> Self {
        Self { file: file.to_owned(), keys }
    }

    /// The secrets that every user of this machine may read now, if there are some.
    pub(crate) fn exposed(&self) -> Option<Exposed> {
        if self.keys.is_empty() {
            return None;
        }
        let mode = all_may_read(&self.file).ok().flatten()?;
        let (file, keys, right) = (self.file.clone(), self.listed(), self.right());
        Some(Exposed { file, mode, keys, right })
    }

    fn listed(&self) -> String {
        let keys = self.keys.iter().map(|secret| &*secret.key);
        let listed = keys.take(LISTED_MAX).collect::<Vec<_>>().join(", ");
        match self.keys.len().saturating_sub(LISTED_MAX) {
            0 => listed,
            more => format!("{listed} and {more} more"),
        }
    }

    fn right(&self) -> String {
        let right = format!("use chmod 600 {}", self.file.display());
        let file_keys: BTreeSet<_> = self.keys.iter().filter_map(|it| it.file_key).collect();
        if file_keys.is_empty() {
            return right;
        }
        let file_keys = file_keys.into_iter().collect::<Vec<_>>().join(" or ");
        format!("{right}, or name a file of its own for each secret in {file_keys}")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use super::*;
    use crate::settings::Document;

    fn any(_: &str) -> Result<(), String> {
        Ok(())
    }

    #[test]
    fn secrets_in_a_file_that_all_may_read_are_named_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let text = "id = 'hunter2'\nsecret = 'hunter2'\npublic = 'b'\n[[of]]\nsecret = 'hunter2'\n\
                    [[of]]\nsecret_file = 'secret'\n[[of]]\nsecret = 'hunter2'\n";
        for name in ["a.toml", "secret"] {
            fs::write(folder.path().join(name), text).unwrap();
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
        }
        let exposed = |variables: &[&str]| {
            let variables = variables.iter().map(|name| ((*name).to_owned(), "of it".to_owned()));
            let variables: BTreeMap<_, _> = variables.collect();
            let document = Document::parse(&file, text, "A", &variables).unwrap();
            let read = document.read(|root| {
                root.read_secret("id", "a secret", any);
                let base = folder.path();
                let both = ["secret", "secret_file"];
                root.read_secret_or_file(both, base, "a secret", any);
                root.read_public_or_file(["public", "public_file"], base, "a key", any);
                for mut section in root.sections("of") {
                    section.read_secret_or_file(both, base, "a secret", any);
                }
                Some(root.inline_secrets())
            });
            read.unwrap().exposed()
        };
        for mode in [0o600, 0o640, 0o660] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposed(&[]), None, "{mode:o}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let found = exposed(&[]).unwrap();
        assert_eq!((&*found.keys, found.mode), ("id, secret, of[0].secret, of[2].secret", 0o644));
        let chmod = format!("use chmod 600 {}", file.display());
        let right = format!("{chmod}, or name a file of its own for each secret in secret_file");
        assert_eq!(found.right, right);
        let variables = ["A__SECRET", "A__OF__0__SECRET", "A__OF__2__SECRET"];
        let found = exposed(&variables).unwrap();
        assert_eq!((found.keys, found.right), ("id".to_owned(), chmod));
        assert_eq!(exposed(&[&variables[..], &["A__ID"]].concat()), None);
    }

    #[test]
    fn many_keys_are_not_all_listed() {
        let key = |number| InlineSecret { key: format!("of[{number}].secret"), file_key: None };
        let secrets = InlineSecrets::new(Path::new("a.toml"), (0..12).map(key).collect());
        let listed = secrets.listed();
        assert!(listed.ends_with("of[8].secret, of[9].secret and 2 more"), "{listed}");
    }
}
