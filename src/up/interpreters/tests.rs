//! Interpreters are scripts here, in a home of the test's own.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use project::{Project, Severity};
use tempfile::TempDir;

use super::{Interpreters, find};

/// A machine with these files. Each is a program that says it is of this version, or one that
/// fails.
fn machine(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (file, version) in files {
        let path = home.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let said = format!("#!/bin/sh\necho \"{version}\n{}\nplatform\"\n", path.display());
        let script = if version.is_empty() { "#!/bin/sh\nexit 1\n".to_owned() } else { said };
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    home
}

fn project(runtimes: &[(&str, &str)]) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let mut yaml =
        "component: multi-scf\nname: many\ninputs:\n  src: ./\n  functions:\n".to_owned();
    for (name, runtime) in runtimes {
        yaml += &format!(
            "    {name}:\n      name: {name}\n      handler: index.main\n      runtime: {runtime}\n"
        );
    }
    for (file, text) in [("serverless.yml", yaml.as_str()), ("index.py", ""), ("index.js", "")] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let reading = project::read(folder.path(), &BTreeMap::new());
    assert_eq!(reading.project.functions.len(), runtimes.len(), "{:?}", reading.notes);
    reading.project
}

/// What is found on a machine, and the interpreters that are written, below its folder.
async fn found(
    files: &[(&str, &str)],
    runtimes: &[(&str, &str)],
) -> (Interpreters, BTreeMap<String, String>) {
    let home = machine(files);
    let environment: BTreeMap<_, _> = [
        ("HOME", home.path().to_path_buf()),
        ("PATH", home.path().join("bin")),
        ("N_PREFIX", home.path().join("usr")),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_str().unwrap().to_owned()))
    .into();
    let found = find(&project(runtimes), &environment).await;
    let below = |path: &Path| path.strip_prefix(home.path()).unwrap().to_str().unwrap().to_owned();
    let written = found.of.iter().map(|(name, path)| (name.clone(), below(path))).collect();
    (found, written)
}

async fn check(files: &[(&str, &str)], runtime: &str, expected: Option<&str>, note: &str) {
    let (found, written) = found(files, &[("f", runtime)]).await;
    assert_eq!(written.get("f").map(String::as_str), expected, "{files:?} {:?}", found.notes);
    let notes: Vec<_> = found.notes.iter().map(|it| format!("{} {it}", it.severity)).collect();
    if note.is_empty() {
        assert!(notes.is_empty(), "{notes:?}");
        assert!(found.used("f").is_some());
    } else {
        assert!(notes.len() == 1 && notes[0].contains(note), "{note:?} in {notes:?}");
    }
}

#[tokio::test]
async fn the_right_release_is_found_where_it_is() {
    let old = ("bin/python3", "3.11.7");
    check(&[old], "Python3.11", None, "").await;
    check(&[old], "Python3", None, "").await;
    check(&[old, ("bin/python3.6", "3.6.15")], "Python3.6", Some("bin/python3.6"), "").await;
    let kept = ".pyenv/versions/3.6.15/bin/python";
    let older = ".pyenv/versions/3.6.9/bin/python";
    check(&[old, (older, "3.6.9"), (kept, "3.6.15")], "Python3.6", Some(kept), "").await;
    // A program of pyenv that is in PATH, without its version.
    check(&[old, ("bin/python3.6", ""), (kept, "3.6.15")], "Python3.6", Some(kept), "").await;
    let uv = ".local/share/uv/python/cpython-3.9.18-linux-x86_64-gnu/bin/python3";
    check(&[old, (uv, "3.9.18")], "Python3.9", Some(uv), "").await;
    let node = ("bin/node", "20.20.2");
    check(&[node], "Nodejs20.19", None, "").await;
    for kept in [
        ".nvm/versions/node/v12.22.12/bin/node",
        ".local/share/fnm/node-versions/v12.22.12/installation/bin/node",
        ".fnm/node-versions/v12.22.12/installation/bin/node",
        "usr/n/versions/node/12.22.12/bin/node",
    ] {
        check(&[node, (kept, "12.22.12")], "Nodejs12.16", Some(kept), "").await;
    }
}

#[tokio::test]
async fn another_release_comes_with_what_differs() {
    let python = ("bin/python3", "3.11.7");
    let text = "warning serverless.yml:9: Python 3.6 is not on this machine, so Python 3.11.7 runs f. \
                What differs: from Python 3.7 on async and await are no names any more";
    check(&[python], "Python3.6", None, text).await;
    check(&[python], "Python3.12", None, "Python 3.12 brought the statement type").await;
    let node = ("bin/node", "20.20.2");
    check(&[node], "Nodejs12.16", None, "from Node 15 on a rejected promise").await;
    check(&[node], "Nodejs8.9", None, "Node 8 is too old to run here, so Node 20.20.2").await;
    // The first one in PATH does not run: the next one has to be named.
    let kept = ".pyenv/versions/3.9.1/bin/python";
    let broken = ("bin/python3", "");
    check(&[broken, (kept, "3.9.1")], "Python3.6", Some(kept), "so Python 3.9.1 runs f").await;
}

#[tokio::test]
async fn what_to_install_is_said_where_nothing_runs() {
    check(
        &[],
        "Python3.6",
        None,
        "error serverless.yml:9: there is no python3 in PATH that runs, and f needs Python 3.6",
    )
    .await;
    check(
        &[("bin/python3", "3.5.2")],
        "Python3.6",
        None,
        "bin/python3 is Python 3.5.2, and f needs",
    )
    .await;
    check(&[("bin/node", "8.17.0")], "Nodejs8.9", None, "and f needs Node 10 or newer: install")
        .await;
}

#[tokio::test]
async fn functions_that_share_a_release_share_a_note() {
    let runtimes =
        [("a", "Python3.6"), ("b", "Python3.6"), ("c", "Python3.9"), ("d", "Nodejs12.16")];
    let (found, written) =
        found(&[("bin/python3", "3.9.1"), ("bin/node", "12.22.1")], &runtimes).await;
    assert_eq!(written, BTreeMap::new());
    let [note] = &found.notes[..] else { panic!("{:?}", found.notes) };
    assert_eq!(note.severity, Severity::Warning);
    assert!(note.text.contains("so Python 3.9.1 runs a, b."), "{note}");
    let used = runtimes.map(|(name, _)| found.used(name).unwrap().release);
    assert_eq!(used, [9, 9, 9, 12]);
}
