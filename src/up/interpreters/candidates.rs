//! The files that may be interpreters: in PATH, and where managers of versions keep theirs.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Language;

/// The folders that the function-runner looks into without PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidates<'a> {
    pub(super) environment: &'a BTreeMap<String, String>,
}

/// A folder that keeps versions, each in a folder of its own.
struct Store {
    folder: PathBuf,
    /// What stands before the version in the names of these folders.
    prefix: &'static str,
    program: &'static str,
}

impl Candidates<'_> {
    /// The programs with this name, in the order of PATH.
    pub(super) fn in_path(self, name: &str) -> Vec<PathBuf> {
        let folders = self.environment.get("PATH").map_or(PATH, String::as_str).split(':');
        folders.map(|folder| Path::new(folder).join(name)).filter(|f| is_executable(f)).collect()
    }

    /// What managers of versions have, each with its release, the newest first.
    pub(super) fn kept(self, language: Language) -> Vec<(u32, PathBuf)> {
        let stores = match language {
            Language::Python => self.pythons(),
            Language::Node => self.nodes(),
        };
        let mut found: Vec<_> = stores.iter().flatten().flat_map(|it| it.list(language)).collect();
        found.sort_by(|(one, _), (other, _)| other.cmp(one));
        found.into_iter().map(|([release, _], file)| (release, file)).collect()
    }

    /// Those of pyenv and of uv.
    fn pythons(self) -> Vec<Option<Store>> {
        let pyenv = self.folder("PYENV_ROOT", ".pyenv");
        let uv = self.folder("XDG_DATA_HOME", ".local/share");
        vec![
            pyenv.map(|folder| Store {
                folder: folder.join("versions"),
                prefix: "",
                program: "bin/python",
            }),
            uv.map(|folder| Store {
                folder: folder.join("uv/python"),
                prefix: "cpython-",
                program: "bin/python3",
            }),
        ]
    }

    /// Those of nvm, of fnm, which has had two places, and of n.
    fn nodes(self) -> Vec<Option<Store>> {
        let nvm = self.folder("NVM_DIR", ".nvm");
        let fnm = self.folder("FNM_DIR", ".fnm");
        let data = self.folder("XDG_DATA_HOME", ".local/share");
        let n = self.environment.get("N_PREFIX").map_or("/usr/local", String::as_str);
        let of_fnm = |folder: PathBuf| Store {
            folder: folder.join("node-versions"),
            prefix: "v",
            program: "installation/bin/node",
        };
        vec![
            nvm.map(|folder| Store {
                folder: folder.join("versions/node"),
                prefix: "v",
                program: "bin/node",
            }),
            fnm.map(of_fnm),
            data.map(|folder| of_fnm(folder.join("fnm"))),
            Some(Store {
                folder: Path::new(n).join("n/versions/node"),
                prefix: "",
                program: "bin/node",
            }),
        ]
    }

    /// The folder that a variable names, or the usual one below the home.
    fn folder(self, variable: &str, usual: &str) -> Option<PathBuf> {
        let value = |key: &str| self.environment.get(key).filter(|value| !value.is_empty());
        let named = value(variable).map(PathBuf::from);
        named.or_else(|| Some(Path::new(value("HOME")?).join(usual)))
    }
}

impl Store {
    /// The programs, each with its release and what counts beside it.
    fn list(&self, language: Language) -> Vec<([u32; 2], PathBuf)> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let version = |folder: fs::DirEntry| {
            let name = folder.file_name();
            let version = version(language, name.to_str()?.strip_prefix(self.prefix)?)?;
            Some((version, folder.path().join(self.program)))
        };
        folders.filter_map(version).filter(|(_, file)| is_executable(file)).collect()
    }
}

/// The release and the number behind it: of `3.6.15` 6 and 15, of `12.22.1` 12 and 22.
fn version(language: Language, name: &str) -> Option<[u32; 2]> {
    let name = name.split('-').next()?;
    let mut numbers = name.split('.').map_while(|number| number.parse::<u32>().ok());
    match (language, numbers.next()?) {
        (Language::Python, 3) => Some([numbers.next()?, numbers.next()?]),
        (Language::Python, _) => None,
        (Language::Node, major) => Some([major, numbers.next()?]),
    }
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::{Language, version};

    #[test]
    fn names_of_folders_say_their_release() {
        for (name, expected) in [
            ("3.6.15", Some([6, 15])),
            ("3.12.3-linux-x86_64-gnu", Some([12, 3])),
            ("2.7.18", None),
            ("miniconda3-4.7", None),
            ("3.14-dev", None),
        ] {
            assert_eq!(version(Language::Python, name), expected, "{name}");
        }
        assert_eq!(version(Language::Node, "12.22.1"), Some([12, 22]));
        assert_eq!(version(Language::Node, "system"), None);
    }
}
