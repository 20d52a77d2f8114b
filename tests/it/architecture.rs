//! Who may depend on whom: the arrows of ARCHITECTURE.md, read off the manifests.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Each crate, and which of ours it may use outside of its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("shared", &[]),
    ("bench", &[]),
    ("lambda-echo", &[]),
    ("daemon", &[]),
    ("batch", &[]),
    ("functions", &["shared", "batch"]),
    ("function-runner", &["shared", "functions", "daemon", "batch"]),
    ("gateway", &["shared", "daemon", "batch"]),
    ("longhold", &["shared", "functions", "function-runner", "gateway", "daemon"]),
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

#[test]
fn shared_does_no_io() {
    let metadata = metadata();
    let shared = metadata.packages.iter().find(|p| p.name.as_str() == "shared").unwrap();
    let allowed = BTreeSet::from(["base64", "serde", "serde_json", "thiserror"]);
    assert!(dependencies(shared).is_subset(&allowed), "{:?}", dependencies(shared));
}
