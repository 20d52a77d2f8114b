//! The folder for what a project keeps, apart from the project itself.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

use super::plan::Places;

/// The folder for what a project keeps: owed cleanups, objects, tokens, libraries, settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataFolder(PathBuf);

/// Held while a project runs. The system ends it together with the process.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl DataFolder {
    /// The folder `given`, or one for the project in `project`, whose path is absolute and has no
    /// links. Looks at nothing on the disk.
    pub(super) fn of(
        project: &Path,
        given: Option<&Path>,
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let folder = match given {
            Some(given) => absolute(given).context("the working folder is gone")?,
            None => home(variables)?.join("longhold").join(name_of(project)),
        };
        refuse_inside(project, &folder, "--data")?;
        Ok(Self(folder))
    }

    /// Makes the folder, for this user alone, unless it is there.
    pub(super) fn open(&self) -> anyhow::Result<Lock> {
        let shown = self.0.display();
        make(&self.0).with_context(|| format!("could not make the folder for data, {shown}"))?;
        let path = self.0.join("lock");
        let file = File::create(&path).with_context(|| format!("could not write in {shown}"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => bail!(
                "another longhold runs with the data in {shown}; stop it, or give this one a folder \
                 of its own with --data"
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("could not lock {}", path.display()))
            }
        }
    }

    /// Where in it what is.
    pub(super) fn places(&self) -> Places {
        let place = |name| self.0.join(name);
        Places {
            data: self.0.clone(),
            settings: place("settings"),
            libraries: place("libraries"),
            shim: place("shim"),
        }
    }
}

/// A project is never written: `folder`, which `argument` names, must be elsewhere.
pub(super) fn refuse_inside(project: &Path, folder: &Path, argument: &str) -> anyhow::Result<()> {
    ensure!(
        !folder.starts_with(project),
        "{} is in the project, which is never written: name a folder outside of it with {argument}",
        folder.display()
    );
    Ok(())
}

/// Makes `folder` and what is around it, for this user alone.
pub(super) fn make(folder: &Path) -> std::io::Result<()> {
    if let Some(around) = folder.parent() {
        fs::create_dir_all(around)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Where programs of this user keep data (XDG Base Directory Specification).
fn home(variables: &BTreeMap<String, String>) -> anyhow::Result<PathBuf> {
    let folder = |name| variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_DATA_HOME")
        .or_else(|| Some(folder("HOME")?.join(".local/share")))
        .context("there is no HOME to keep data in; name a folder with --data")
}

/// The name of the project's folder, and something that other folders of that name do not have.
fn name_of(project: &Path) -> String {
    let name = project.file_name().map_or_else(|| "project".into(), |name| name.to_string_lossy());
    let digest = Sha256::digest(project.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: Option<&str>, variables: &[(&str, &str)]) -> Result<String, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = variables.iter().map(own).collect();
        let folder = DataFolder::of(Path::new("/home/a/chat"), given.map(Path::new), &variables);
        folder.map(|it| it.0.display().to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_project_has_a_folder_of_its_own() {
        let name = name_of(Path::new("/home/a/chat"));
        assert!(name.starts_with("chat-") && name.len() == "chat-".len() + 8, "{name}");
        assert_ne!(name, name_of(Path::new("/home/b/chat")));
        let xdg = [("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")];
        assert_eq!(of(None, &xdg), Ok(format!("/data/longhold/{name}")));
        let home = of(None, &[("HOME", "/home/a"), ("XDG_DATA_HOME", "data")]);
        assert_eq!(home, Ok(format!("/home/a/.local/share/longhold/{name}")));
        assert_eq!(of(Some("/x"), &xdg), Ok("/x".to_owned()));
        assert!(of(None, &[]).unwrap_err().contains("--data"));
    }

    #[test]
    fn the_project_is_never_written() {
        let refused = of(Some("/home/a/chat/data"), &[]).unwrap_err();
        assert!(refused.contains("is in the project"), "{refused}");
        assert!(of(Some("/home/a/chat-data"), &[]).is_ok());
    }

    #[test]
    fn two_processes_have_not_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder(folder.path().join("deep/data"));
        let lock = data.open().unwrap();
        let refused = data.open().unwrap_err().to_string();
        assert!(refused.starts_with("another longhold runs with the data in "), "{refused}");
        drop(lock);
        data.open().unwrap();
    }
}
