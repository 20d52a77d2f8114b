//! Libraries of Python.

use std::{fs, path::PathBuf, process::Command};

use super::{Place, only_note, said, write, yaml};

/// Makes wheels of packages with one file each.
const WHEELS: &str = r#"
import sys, zipfile
for name, module, text in (
        ("cos_python_sdk_v5", "qcloud_cos", "from .inner import CosError"),
        ("words", "words", "SAID = 'hello'"), ("unused", "unused", "")):
    info = name + "-1.9.dist-info/"
    with zipfile.ZipFile(sys.argv[1] + "/" + name + "-1.9-py3-none-any.whl", "w") as wheel:
        wheel.writestr(module + "/__init__.py", text)
        wheel.writestr(module + "/inner.py", "class CosError(Exception): pass")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.9\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
"#;

/// A project in Python, and a folder of wheels as the only place where pip looks. None without pip.
async fn place(files: &[(&str, &str)]) -> Option<(Place, Vec<(&'static str, String)>)> {
    let place = Place::new(files, &[("PIP_NO_INDEX", "1".to_owned())]);
    let interpreters = place.interpreters().await;
    let name = &place.project().functions[0].name;
    let python = interpreters.used(name).map(|it| it.executable.clone());
    let pip = |python: &PathBuf| Command::new(python).args(["-m", "pip", "--version"]).output();
    let Some(python) = python.filter(|it| pip(it).is_ok_and(|output| output.status.success()))
    else {
        skipped::without("pip for python3 is missing (apt-get install python3-pip)");
        return None;
    };
    let wheels = place.folder.path().join("wheels");
    fs::create_dir(&wheels).unwrap();
    let made = Command::new(python).args(["-c", WHEELS]).arg(&wheels).status().unwrap();
    assert!(made.success());
    let links = vec![("PIP_FIND_LINKS", wheels.to_str().unwrap().to_owned())];
    Some((place, links))
}

const USES_BOTH: &str = "import json, words\nfrom qcloud_cos_v5 import CosError\n\
                         def main_handler(event, context): return words.SAID\n";

/// In the cloud's image both names stand for the same modules.
const SAME_CLASSES: &str = "
from qcloud_cos_v5.inner import CosError as of_inner
import qcloud_cos, qcloud_cos.inner, qcloud_cos_v5.inner, words
assert words.SAID == 'hello'
assert qcloud_cos_v5.CosError is qcloud_cos.CosError is of_inner is qcloud_cos.inner.CosError
assert qcloud_cos.inner.__spec__.name == qcloud_cos.inner.__name__ == 'qcloud_cos.inner'
";

#[tokio::test]
async fn what_functions_import_is_installed_once_beside_the_project() {
    let functions = yaml("Python3", &["a", "b", "c"]);
    let files = [
        ("serverless.yml", functions.as_str()),
        ("requirements.txt", "words\n-e ./mine\n"),
        ("a/index.py", USES_BOTH),
        ("b/index.py", "import words\n"),
        ("c/index.py", "import os, helper\n"),
        ("c/helper.py", ""),
        ("c/test_it.py", "import nowhere\n"),
    ];
    let Some((mut place, links)) = place(&files).await else { return };
    place.variables.extend(links.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let before = place.files();
    let would =
        "info serverless.yml:7: longhold up installs words, cos-python-sdk-v5 for a, b, once";
    assert!(said(&place.check().await.notes).iter().any(|note| note == would));
    assert!(!place.cache().exists());
    write(&place.cache().join("half.part/index.py"), "");
    let libraries = place.install().await;
    only_note(&libraries, &["warning requirements.txt:2: \"-e ./mine\" is not installed"]);
    assert_eq!(libraries.of.keys().collect::<Vec<_>>(), ["a", "b"]);
    let folder = &libraries.of["a"];
    assert_eq!(folder, &libraries.of["b"]);
    let progress = place.progress();
    assert!(progress[0].starts_with("installing words, cos-python-sdk-v5 for a, b (Python 3."));
    assert!(progress.len() == 2 && progress[1].starts_with("installed in "), "{progress:?}");
    place.shell(
        "cd / && python3 -c \"$SCRIPT\"",
        &[("PYTHONPATH", folder.to_str().unwrap().to_owned()), ("SCRIPT", SAME_CLASSES.to_owned())],
    );
    assert_eq!(place.files(), before);
    assert_eq!(fs::read_dir(place.cache()).unwrap().count(), 1, "one whole folder, no half one");
    // What is there is used, also without pip.
    let again = place.install().await;
    assert_eq!((again.of, place.progress()), (libraries.of, vec![]));
}

#[tokio::test]
async fn without_a_network_a_note_has_the_command_that_mends_it() {
    let functions = yaml("Python3", &["a"]);
    let files = [("serverless.yml", functions.as_str()), ("a/index.py", "import qcloud_cos_v5\n")];
    let Some((place, links)) = place(&files).await else { return };
    let libraries = place.install().await;
    assert!(libraries.of.is_empty());
    let expected =
        "error serverless.yml:7: cos-python-sdk-v5 could not be installed for a: pip said: ";
    let note = only_note(&libraries, &[expected, "No matching distribution"]);
    let (_, command) = note.split_once("With a network, run: ").unwrap();
    place.shell(command, &links);
    place.progress();
    let libraries = place.install().await;
    assert_eq!(said(&libraries.notes), [""; 0]);
    assert!(libraries.of["a"].join("qcloud_cos_v5").is_dir());
    assert_eq!(place.progress(), [""; 0]);
}

#[tokio::test]
async fn modules_that_are_nowhere_are_named_with_their_line() {
    let functions = yaml("Python3", &["a", "b", "c"]);
    let optional = "try:\n  import nowhere\nexcept ImportError:\n  pass\n";
    let files = [
        ("serverless.yml", functions.as_str()),
        ("a/index.py", "import inner\n"),
        ("a/inner.py", "import os\n\nimport nowhere, yaml9\n"),
        ("b/index.py", optional),
        ("c/index.py", "import words, nowhere\n"),
        ("c/requirements.txt", "words\n"),
    ];
    let Some((mut place, links)) = place(&files).await else { return };
    place.variables.extend(links.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let libraries = place.install().await;
    assert_eq!(libraries.of.keys().collect::<Vec<_>>(), ["c"]);
    let notes = said(&libraries.notes);
    let starts = [
        "warning a/inner.py:3: the module nowhere is not there",
        "warning a/inner.py:3: the module yaml9 is not there",
        "warning c/index.py:1: the module nowhere is not there",
    ];
    assert_eq!(notes.len(), 3, "{notes:#?}");
    assert!(notes.iter().zip(starts).all(|(note, start)| note.starts_with(start)), "{notes:#?}");
}
