//! The settings of functions that were taken into use last.
//!
//! A function may be able to change its own code. What is wrong with the code of a function whose
//! settings are still these must not keep new settings of others from being used.

use std::sync::{Arc, Mutex, MutexGuard};

use super::FunctionSettings;

/// The functions that are in use. A handle: clones are the same.
#[derive(Debug, Clone, Default)]
pub struct KnownFunctions(Arc<Mutex<Vec<FunctionSettings>>>);

impl KnownFunctions {
    /// These functions are in use now.
    pub(crate) fn replace(&self, functions: Vec<FunctionSettings>) {
        *self.lock() = functions;
    }

    /// The function `name`, if it is in use.
    pub(super) fn get(&self, name: &str) -> Option<FunctionSettings> {
        self.lock().iter().find(|function| function.name == name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FunctionSettings>> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        os::unix::fs::PermissionsExt,
        path::{Path, PathBuf},
    };

    use daemon::settings::SettingsError;
    use functions::Catalog;

    use super::{super::Settings, KnownFunctions};

    /// Functions of two languages, and one with an interpreter in the folder of its code.
    const FUNCTIONS: [&str; 3] = [
        "[functions.python]\nruntime = \"python3\"\nhandler = \"index.main\"\ncode = \"python\"\n",
        "[functions.own]\nruntime = \"nodejs\"\nhandler = \"index.main\"\ncode = \"own\"\n\
         interpreter = \"own/bin\"\n",
        "[functions.custom]\nruntime = \"custom\"\ncode = \"custom\"\n",
    ];

    fn parse(folder: &Path, text: &str, known: &KnownFunctions) -> Result<Settings, SettingsError> {
        let (none, file) = (BTreeMap::new(), folder.join("functions.toml"));
        Settings::parse_again(&file, text, &none, &none, &Catalog::built_in(), known)
    }

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn what_a_function_does_to_its_code_is_no_error_while_its_settings_are_the_same() {
        let text = FUNCTIONS.concat();
        for (name, file, is_gone) in [
            ("python", "index.py", true),
            ("own", "index.js", true),
            ("own", "bin", false),
            ("custom", "bootstrap", true),
            ("custom", "bootstrap", false),
            ("custom", "", true),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for file in ["python/index.py", "own/index.js", "own/bin", "custom/bootstrap"] {
                write(folder.path().join(file), "#!/bin/sh\n");
            }
            let known = KnownFunctions::default();
            let good = parse(folder.path(), &text, &known).unwrap();
            known.replace(good.functions.clone());

            let path = folder.path().join(name).join(file);
            match is_gone {
                true => fs::rename(path, folder.path().join("moved")).unwrap(),
                false => fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap(),
            }
            // New settings of other functions, twice.
            for other in ["", "[functions.new]\nruntime = \"custom\"\ncode = \"new\"\n"] {
                write(folder.path().join("new/bootstrap"), "#!/bin/sh\n");
                let settings = parse(folder.path(), &format!("{text}{other}"), &known).unwrap();
                for function in &settings.functions {
                    let problem = function.code_problem();
                    assert_eq!(problem.is_some(), function.name == name, "{name}: {problem:?}");
                }
                known.replace(settings.functions);
            }
            // New settings of the function itself, and a start.
            let code = format!("code = \"{name}\"\n");
            let timeout = text.replace(&code, &format!("{code}timeout = \"7s\"\n"));
            let renamed = text.replace("index.main", "index.other").replace("own/bin", "own/sh");
            let own = if name == "custom" { &timeout } else { &renamed };
            for (text, known) in
                [(&timeout, &known), (own, &known), (&text, &KnownFunctions::default())]
            {
                let error = parse(folder.path(), text, known).unwrap_err().to_string();
                assert!(error.contains(&format!("functions.{name}.")), "{name}: {error}");
            }
        }
    }
}
