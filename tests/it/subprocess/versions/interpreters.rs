//! The interpreters of this machine, one of each version.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The versions of Python that docs/runtimes.md names as tested: 3.6 to 3.13.
const PYTHONS: std::ops::RangeInclusive<u32> = 6..=13;
/// The versions of Node that it names as tested. `.ci/run` installs them.
const NODES: [u32; 8] = [10, 12, 14, 16, 18, 20, 22, 24];

/// An interpreter.
#[derive(Debug)]
pub(super) struct Interpreter {
    /// Such as `3.6` or `10`.
    pub(super) version: String,
    pub(super) path: PathBuf,
}

/// The versions of Python from 3.6 on: those of the list `LONGHOLD_PYTHONS`, or else those of pyenv
/// and the one of the system. No registry has old versions, so that nothing can install them.
pub(super) fn pythons() -> Vec<Interpreter> {
    let found: BTreeMap<u32, PathBuf> = python_files("python3")
        .into_iter()
        .filter_map(|path| Some((version_of(&path)?.strip_prefix("Python 3.")?.to_owned(), path)))
        .filter_map(|(rest, path)| Some((rest.split('.').next()?.parse().ok()?, path)))
        .filter(|(minor, _)| minor >= PYTHONS.start())
        .collect();
    let missing = PYTHONS.filter(|minor| !found.contains_key(minor));
    let missing: Vec<_> = missing.map(|minor| format!("3.{minor}")).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        skipped::because(format!(
            "Python {missing} is not in LONGHOLD_PYTHONS, interpreters with : between them"
        ));
    }
    let interpreter = |(minor, path)| Interpreter { version: format!("3.{minor}"), path };
    found.into_iter().map(interpreter).collect()
}

/// A Python 2.
pub(super) fn python_2() -> Option<PathBuf> {
    let found = python_files("python2.7").into_iter().next();
    if found.is_none() {
        skipped::because("Python 2.7 is missing");
    }
    found
}

fn python_files(name: &str) -> Vec<PathBuf> {
    if let Some(list) = env::var_os("LONGHOLD_PYTHONS") {
        let is_asked_for = |path: &PathBuf| path.ends_with(name) || name == "python3";
        return env::split_paths(&list).filter(is_asked_for).collect();
    }
    let home = env::var_os("HOME").unwrap_or_default();
    let root = env::var_os("PYENV_ROOT").map_or(Path::new(&home).join(".pyenv"), PathBuf::from);
    let versions = fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
    let files = versions.map(|version| version.path().join("bin").join(name));
    files.chain([Path::new("/usr/bin").join(name)]).filter(|path| path.exists()).collect()
}

/// The versions of Node that are in the folder `LONGHOLD_NODES`, or else in target/ci, as
/// `node-<major>`.
pub(super) fn nodes() -> Vec<Interpreter> {
    let all = NODES.map(|major| Interpreter { version: major.to_string(), path: node_file(major) });
    let (found, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|node| node.path.exists());
    if let Some(first) = missing.first() {
        let versions: Vec<_> = missing.iter().map(|node| node.version.as_str()).collect();
        skipped::without(format!(
            "Node {} is missing: for each, such as {1}, npm install --prefix target/ci/node-{1} \
             node@{1}",
            versions.join(", "),
            first.version
        ));
    }
    found
}

/// A Node that is too old.
pub(super) fn node_8() -> Option<PathBuf> {
    let file = node_file(8);
    if !file.exists() {
        skipped::without("Node 8 is missing: npm install --prefix target/ci/node-8 node@8");
        return None;
    }
    Some(file)
}

fn node_file(major: u32) -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ci");
    let folder = env::var_os("LONGHOLD_NODES").map_or(ours, PathBuf::from);
    folder.join(format!("node-{major}/node_modules/node/bin/node"))
}

/// What the interpreter says of its version, such as `Python 3.6.15`. Panics if it cannot be run.
fn version_of(path: &Path) -> Option<String> {
    let output = Command::new(path).arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8(output.stdout).ok()
}
