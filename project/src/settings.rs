//! The settings files of Longhold for a project, as text.

mod cos;
mod functions;
mod gateway;
mod private_tmp;
mod text;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf, absolute},
};

use crate::{code::is_api_id, model::Project};

/// The text of each settings file. Comments say where each value comes from.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SettingsTexts {
    /// `gateway.toml`. It needs an `[[api]]`, and has none if the project has no API.
    pub gateway: String,
    /// `functions.toml`. It has the environments of the functions, so it may have secrets.
    pub functions: String,
    /// `cos.toml`, if the project uses the object store.
    pub cos: Option<String>,
}

/// Without the texts, which may have secrets.
impl std::fmt::Debug for SettingsTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsTexts").finish_non_exhaustive()
    }
}

/// Where the settings of a project are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The folder for the journal, the object store and the tokens. Written as it is given: paths
    /// of data start at the working folder, so it should be absolute, or meant so.
    pub data: PathBuf,
    /// For each function that has one, a folder of libraries: for `PYTHONPATH` or `NODE_PATH`.
    pub libraries: BTreeMap<String, PathBuf>,
    /// For each function that has one, the interpreter: with another one than the first `python3`
    /// or `node` in PATH. Written absolute.
    pub interpreters: BTreeMap<String, PathBuf>,
    /// The folder of `sl_handler.js`, for functions with an entry. It is the folder of their code
    /// then, and `SLS_ENTRY_FILE` has the absolute path of the entry: a handler cannot be outside
    /// of the code. None: the shim is beside the entry.
    pub shim: Option<PathBuf>,
    /// The folder of the settings files. Paths below it are written relative to it, and all others
    /// absolute.
    pub base: PathBuf,
}

impl Project {
    /// The settings that run the project. Reads nothing.
    pub fn settings(&self, surroundings: &Surroundings) -> SettingsTexts {
        SettingsTexts {
            gateway: gateway::text(self, surroundings),
            functions: functions::text(self, surroundings),
            cos: self.uses_cos.then(|| cos::text(self, surroundings)),
        }
    }

    /// The ids that old addresses for pushes have, and the id here to which each leads.
    pub fn old_ids(&self) -> BTreeMap<&str, &str> {
        let mut leads = BTreeMap::new();
        for api in &self.apis {
            let own = Some(&api.id).filter(|id| is_api_id(id));
            let own = api.cloud_ids.iter().chain(own);
            leads.extend(own.map(|id| (id.as_str(), api.id.as_str())));
            leads.extend(api.push_ids.iter().map(|id| (id.as_str(), id.as_str())));
        }
        leads
    }
}

impl Surroundings {
    /// `path` as a settings file in `base` writes it.
    fn written(&self, path: &Path) -> String {
        let whole = whole(path);
        let below = whole.strip_prefix(whole_folder(&self.base)).ok();
        match below {
            Some(below) if below.as_os_str().is_empty() => ".".to_owned(),
            Some(below) => below.display().to_string(),
            None => whole.display().to_string(),
        }
    }

    fn data(&self, name: &str) -> String {
        self.data.join(name).display().to_string()
    }
}

fn whole(path: &Path) -> PathBuf {
    absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// An empty path is the working folder.
fn whole_folder(path: &Path) -> PathBuf {
    whole(if path.as_os_str().is_empty() { Path::new(".") } else { path })
}
