//! Which crate and which folder may use which, and who may know the shapes of a cloud: the absences
//! of ARCHITECTURE.md, read off the manifests and the code.

mod arrows;
mod comments;
mod folders;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use daemon::telemetry::LOGGING;

/// Folders that have code of this repository.
pub(crate) const FOLDERS: [&str; 13] = [
    "batch",
    "bench",
    "cos",
    "daemon",
    "examples",
    "function-runner",
    "functions",
    "gateway",
    "project",
    "shared",
    "skipped",
    "src",
    "tests",
];

/// Each crate, and which of ours it may use outside of its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("shared", &[]),
    ("bench", &[]),
    ("lambda-echo", &[]),
    ("daemon", &[]),
    ("batch", &[]),
    ("project", &[]),
    ("skipped", &[]),
    ("functions", &["shared", "batch"]),
    ("function-runner", &["shared", "functions", "daemon", "batch"]),
    ("gateway", &["shared", "daemon", "batch"]),
    ("cos", &["daemon"]),
    (
        "longhold",
        &["shared", "functions", "function-runner", "gateway", "cos", "project", "daemon"],
    ),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().unwrap()
}

fn dependencies(package: &Package) -> BTreeSet<&str> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[test]
fn crates_depend_on_each_other_along_the_arrows_only() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "a crate that this test does not know");
    for (name, allowed) in ARROWS {
        let package = metadata.packages.iter().find(|p| p.name.as_str() == *name).unwrap();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let used: BTreeSet<&str> =
            dependencies(package).into_iter().filter(|name| ours.contains(name)).collect();
        assert!(used.is_subset(&allowed), "{name} uses {used:?}, and may use {allowed:?}");
    }
}

/// Crates that are no part of a program that logs.
const SILENT: [&str; 4] = ["bench", "lambda-echo", "project", "skipped"];

#[test]
fn a_log_filter_may_name_each_crate_that_logs() {
    let crates = ARROWS.iter().map(|(name, _)| *name).filter(|name| !SILENT.contains(name));
    // The log lines of functions have a name of their own.
    let expected: BTreeSet<String> =
        crates.map(|name| name.replace('-', "_")).chain(["function".to_owned()]).collect();
    assert_eq!(BTreeSet::from(LOGGING.map(str::to_owned)), expected);
}

#[test]
fn shared_does_no_io() {
    let metadata = metadata();
    let shared = metadata.packages.iter().find(|p| p.name.as_str() == "shared").unwrap();
    let allowed = BTreeSet::from(["base64", "serde", "serde_json", "strum", "thiserror"]);
    assert!(dependencies(shared).is_subset(&allowed), "{:?}", dependencies(shared));
}

/// The modules of `shared` that have the shapes of Tencent's events and answers.
const SHAPES: [&str; 4] = ["event", "push", "reply", "data"];

#[test]
fn in_the_gateway_only_the_dialect_knows_the_shapes_of_a_cloud() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/src");
    let is_dialect = |file: &Path| file.starts_with(sources.join("dialect"));
    let (dialect, others): (Vec<_>, Vec<_>) =
        rust_files(&sources).into_iter().partition(|file| is_dialect(file));
    let known: BTreeSet<_> = dialect.iter().flat_map(|file| shapes_named_in(file)).collect();
    assert_eq!(known, BTreeSet::from(SHAPES), "the dialect, which has to name all of them");
    for file in others {
        let shapes = shapes_named_in(&file);
        assert!(shapes.is_empty(), "{} names shared::{shapes:?}", file.display());
    }
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The shapes in paths that begin with `shared::`, also where one `use` has several in braces.
fn shapes_named_in(file: &Path) -> BTreeSet<&'static str> {
    let source: String = fs::read_to_string(file).unwrap().split_whitespace().collect();
    let mut named = BTreeSet::new();
    for (start, shared) in source.match_indices("shared::") {
        let path = &source[start + shared.len()..];
        // A `use` ends with a semicolon; of a path in code only the first name counts.
        let names = match path.strip_prefix('{') {
            Some(names) => names.split(';').next().unwrap(),
            None => path.split(':').next().unwrap(),
        };
        let names = names.split(|c: char| !c.is_alphanumeric() && c != '_');
        named.extend(SHAPES.iter().filter(|shape| names.clone().any(|name| name == **shape)));
    }
    named
}
