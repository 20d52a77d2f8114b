//! Writes the files that are made of a project.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use project::SettingsTexts;

use super::data_folder::make;
use crate::settings::{COS_FILE, FUNCTIONS_FILE, GATEWAY_FILE};

/// The shim of the component `websocket`, whose handler is `sl_handler.handler`.
const SHIM: &str = include_str!("sl_handler.js");
const SHIM_FILE: &str = "sl_handler.js";

/// Writes the settings that have changed into the files of `folder`. The functions come first: the
/// gateway may name only those that there are.
pub(super) fn settings(folder: &Path, texts: &SettingsTexts) -> anyhow::Result<()> {
    make(folder).with_context(|| format!("could not make {}", folder.display()))?;
    for (name, text) in files(texts) {
        match text {
            Some(text) => replace(&folder.join(name), text)?,
            None => remove(&folder.join(name))?,
        }
    }
    Ok(())
}

/// The names of the settings files.
pub(super) const NAMES: [&str; 3] = [FUNCTIONS_FILE, COS_FILE, GATEWAY_FILE];

/// The name and the text of each file, in the order in which they are written.
/// Those of `None` are not there.
pub(super) fn files(texts: &SettingsTexts) -> [(&'static str, Option<&str>); 3] {
    let [functions, cos, gateway] = NAMES;
    [
        (functions, Some(&texts.functions)),
        (cos, texts.cos.as_deref()),
        (gateway, Some(&texts.gateway)),
    ]
}

/// Writes the shim into `folder`, unless it is there. With `again`, it is written although it is
/// there: to the runner the code of its functions has changed then.
pub(super) fn shim(folder: &Path, again: bool) -> anyhow::Result<()> {
    make(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let path = folder.join(SHIM_FILE);
    if again {
        remove(&path)?;
    }
    replace(&path, SHIM)
}

/// A reader sees the old text or the new one, and never a part. This user alone may read it. A file
/// that has the text already is not touched.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    let new = path.with_added_extension("new");
    let written = remove(&new).and_then(|()| Ok(create(&new, text)?));
    let renamed = written.and_then(|()| Ok(fs::rename(&new, path)?));
    renamed.with_context(|| format!("could not write {}", path.display()))
}

/// Makes a file that is not there yet, for this user alone.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn texts(functions: &str, cos: Option<&str>) -> SettingsTexts {
        let cos = cos.map(str::to_owned);
        SettingsTexts { gateway: "g".to_owned(), functions: functions.to_owned(), cos }
    }

    #[test]
    fn only_what_has_changed_is_written_and_for_this_user_alone() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("settings");
        let inode = |name: &str| fs::metadata(folder.join(name)).unwrap().ino();
        settings(&folder, &texts("f", Some("c"))).unwrap();
        let before = ["gateway.toml", "functions.toml"].map(inode);
        for name in ["gateway.toml", "functions.toml", "cos.toml"] {
            let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        settings(&folder, &texts("other", None)).unwrap();
        assert_eq!(inode("gateway.toml"), before[0]);
        assert_ne!(inode("functions.toml"), before[1]);
        assert_eq!(fs::read_to_string(folder.join("functions.toml")).unwrap(), "other");
        assert!(!folder.join("cos.toml").exists());
    }

    #[test]
    fn the_shim_is_new_when_it_is_written_again() {
        let around = tempfile::tempdir().unwrap();
        let inode = || fs::metadata(around.path().join(SHIM_FILE)).unwrap().ctime_nsec();
        shim(around.path(), false).unwrap();
        let first = inode();
        shim(around.path(), false).unwrap();
        assert_eq!(inode(), first);
        shim(around.path(), true).unwrap();
        assert_ne!(inode(), first);
    }
}
