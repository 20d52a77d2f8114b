//! Which folder of a crate may use which: the maps of ARCHITECTURE.md, read off the paths in the
//! code.
//!
//! A map lists the folders of a crate from the top floor down, each with what it may use. An arrow
//! to a folder that stands higher would close a circle, so a map that has one is wrong itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::arrows::{Arrow, arrows_of};

/// Folders of a crate from the top floor down, and which others each may use. A folder within a
/// folder is written `outer::inner` and is a folder of its own here.
type Map = &'static [(&'static str, &'static [&'static str])];

const GATEWAY: Map = &[
    ("benchmarks", &["api", "registry", "settings"]),
    (
        "gateway",
        &[
            "listen",
            "reload",
            "opening",
            "connection",
            "cleanup",
            "cleanup::journal",
            "identity",
            "push",
            "registry",
            "api",
            "call",
            "settings",
        ],
    ),
    ("listen", &["opening", "cleanup", "cleanup::journal", "push", "dialect", "api"]),
    ("reload", &["cleanup", "identity", "push", "api", "call", "settings"]),
    (
        "opening",
        &["connection", "cleanup", "dialect", "identity", "registry", "api", "call", "settings"],
    ),
    ("connection", &["registry", "api", "call", "settings"]),
    ("cleanup", &["cleanup::journal", "registry", "api", "call", "settings"]),
    ("cleanup::journal", &["registry", "settings"]),
    ("push", &["dialect", "registry", "api", "settings"]),
    ("dialect", &["identity", "registry", "api", "call", "settings"]),
    ("identity", &["api", "settings", "token_keys"]),
    ("registry", &["api"]),
    ("api", &["settings"]),
    ("call", &[]),
    ("settings", &["token_keys"]),
    ("token_keys", &[]),
];

const FUNCTION_RUNNER: Map = &[
    ("listen", &["runner", "invocation", "settings"]),
    ("runner", &["runtime", "cloud", "invocation", "settings"]),
    ("runtime", &["push", "cloud", "invocation", "settings"]),
    ("cloud", &["invocation", "settings"]),
    ("push", &["invocation", "settings"]),
    ("invocation", &[]),
    ("settings", &[]),
];

const COS: Map = &[
    ("listen", &["xml", "store", "settings", "request", "refusal"]),
    ("xml", &["store", "request", "refusal"]),
    ("store", &["settings", "request", "refusal"]),
    ("settings", &["request"]),
    ("request", &["refusal"]),
    ("refusal", &[]),
];

const PROJECT: Map = &[
    ("assembly", &["components", "context", "documents", "code", "model", "note", "nearest"]),
    (
        "components",
        &["functions", "context", "documents", "code", "yaml", "model", "note", "nearest"],
    ),
    ("functions", &["context", "code", "yaml", "model", "note", "nearest"]),
    ("context", &["references", "yaml", "note", "nearest"]),
    ("references", &["documents", "yaml", "note", "nearest"]),
    ("documents", &["files", "yaml", "note"]),
    ("settings", &["code", "model", "note"]),
    ("code", &["files", "model"]),
    ("files", &[]),
    ("yaml", &["note"]),
    ("model", &["note"]),
    ("note", &[]),
    ("nearest", &[]),
];

const DAEMON: Map = &[
    ("testing", &["serve", "body", "http", "proxies", "tls"]),
    (
        "serve",
        &["activity", "body", "health", "http", "listen", "pace", "proxies", "stream", "tls"],
    ),
    ("proxies", &["settings", "telemetry"]),
    ("check", &["settings", "tls"]),
    ("tls", &["access", "authority", "reload", "secret_files", "settings", "telemetry"]),
    ("authority", &[]),
    ("credentials", &["access", "http", "path", "peer", "secret_files", "settings", "telemetry"]),
    ("browser", &["health", "http", "path", "settings", "telemetry"]),
    ("health", &["http", "path"]),
    ("router", &["path"]),
    ("body", &["activity", "pace"]),
    ("process", &["children", "settings", "signals", "telemetry"]),
    ("peer", &["telemetry"]),
    ("reload", &["secret_files", "settings"]),
    ("telemetry", &["settings"]),
    ("activity", &[]),
    ("listen", &[]),
    ("pace", &[]),
    ("path", &[]),
    ("http", &[]),
    ("stream", &[]),
    ("children", &[]),
    ("signals", &[]),
    ("settings", &["access", "secret_files"]),
    ("access", &[]),
    ("secret_files", &[]),
];

const CRATES: &[(&str, Map)] = &[
    ("gateway", GATEWAY),
    ("function-runner", FUNCTION_RUNNER),
    ("cos", COS),
    ("daemon", DAEMON),
    ("project", PROJECT),
];

#[test]
fn folders_use_each_other_along_the_arrows_only() {
    for (name, map) in CRATES {
        let allowed: BTreeMap<&str, &[&str]> = map.iter().copied().collect();
        let used = used(name, map);
        let wrong: Vec<_> = used.iter().filter(|arrow| !is_allowed(arrow, &allowed)).collect();
        assert!(wrong.is_empty(), "{name}: not on the map: {wrong:#?}");
        let all: BTreeSet<_> = used.iter().map(|arrow| (&*arrow.from, &*arrow.to)).collect();
        for (from, targets) in *map {
            let unused: Vec<_> = targets.iter().filter(|to| !all.contains(&(from, to))).collect();
            assert!(unused.is_empty(), "{name}: {from} does not use {unused:?} any more");
        }
    }
}

#[test]
fn the_maps_have_no_circle() {
    for (name, map) in CRATES {
        let floor = |folder: &str| map.iter().position(|(other, _)| *other == folder);
        for (from, targets) in *map {
            for to in *targets {
                assert!(floor(to).is_some(), "{name}: {to:?} is not a folder of the map");
                assert!(floor(from) < floor(to), "{name}: {from} -> {to} runs up, or in a circle");
            }
        }
    }
}

fn is_allowed(arrow: &Arrow, allowed: &BTreeMap<&str, &[&str]>) -> bool {
    allowed.get(&*arrow.from).is_some_and(|targets| targets.contains(&&*arrow.to))
}

/// The arrows between the folders of a crate. A module that the map does not have stands for
/// itself.
fn used(name: &str, map: Map) -> BTreeSet<Arrow> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("src");
    let folder = |module: &[String]| {
        let inner = module.get(..2).map(|path| path.join("::"));
        let inner = inner.filter(|path| map.iter().any(|(folder, _)| folder == path));
        inner.unwrap_or_else(|| module.first().cloned().unwrap_or_else(|| "lib.rs".to_owned()))
    };
    let mut arrows = BTreeSet::new();
    for file in files(&source) {
        let relative = file.strip_prefix(&source).unwrap();
        if matches!(relative.to_str(), Some("lib.rs" | "main.rs")) || is_test(relative) {
            continue;
        }
        arrows.extend(arrows_of(&file, relative, &folder));
    }
    assert!(!arrows.is_empty(), "no arrow at all was read from {}", source.display());
    arrows
}

fn is_test(file: &Path) -> bool {
    file.file_name().unwrap() == "tests.rs" || file.iter().any(|part| part == "tests")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
