//! The folder of libraries stands in the environment of a function, which has a limit.

use std::path::Path;

use project::{Function, Note, Severity};

use crate::up::interpreters::Language;

/// All keys and values of a function together, in bytes, as in the cloud.
const BYTES_MAX: usize = 4096;

/// Whether `folder` has room in the environment of `function`. The error is the note that says not.
pub(super) fn check(function: &Function, language: Language, folder: &Path) -> Result<(), Note> {
    let key = match language {
        Language::Python => "PYTHONPATH",
        Language::Node => "NODE_PATH",
    };
    let own: usize = function.environment.iter().map(|(key, value)| key.len() + value.len()).sum();
    let added = match function.environment.get(key) {
        Some(value) if !value.is_empty() => 1,
        Some(_) => 0,
        None => key.len(),
    };
    let bytes = own + added + folder.as_os_str().len();
    if bytes <= BYTES_MAX {
        return Ok(());
    }
    let text = format!(
        "{}: with {key} for its libraries the environment has {bytes} bytes of keys and values, and \
         may have {BYTES_MAX}: shorten a value, or use a data folder with a shorter path",
        function.name,
    );
    Err(Note { severity: Severity::Error, place: Some(function.place.clone()), text })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::{Language, check};

    #[test]
    fn keys_and_values_of_a_function_have_one_limit() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "component: scf\nname: f\ninputs: {name: f, runtime: Python3}\n";
        fs::write(folder.path().join("serverless.yml"), yaml).unwrap();
        fs::write(folder.path().join("index.py"), "").unwrap();
        let mut function =
            project::read(folder.path(), &BTreeMap::new()).project.functions.remove(0);
        let long = |bytes: usize| ("LONG".to_owned(), "x".repeat(bytes));
        let libraries = Path::new("/libraries");
        function.environment = [long(4096 - 4 - "PYTHONPATH/libraries".len())].into();
        assert!(check(&function, Language::Python, libraries).is_ok());
        function.environment = [long(4096 - 3 - "PYTHONPATH/libraries".len())].into();
        let note = check(&function, Language::Python, libraries).unwrap_err();
        assert!(note.text.starts_with("f: with PYTHONPATH for its libraries"), "{note}");
        // A shorter key, and one that is there already.
        assert!(check(&function, Language::Node, libraries).is_ok());
        function.environment.insert("NODE_PATH".to_owned(), String::new());
        assert!(check(&function, Language::Node, libraries).is_ok());
        function.environment.insert("NODE_PATH".to_owned(), "/own".to_owned());
        assert!(check(&function, Language::Node, libraries).is_err());
    }
}
