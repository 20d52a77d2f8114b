//! Which packages the code of a function loads, from the file of its handler on.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use project::{ImportKind, javascript_imports};

/// How many files are read, and how much of each.
const FILES_MAX: usize = 500;
const FILE_BYTES_MAX: u64 = 512 << 10;

/// A package that code loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// Without what stands behind it: `lodash` of `lodash/get`.
    pub(super) name: String,
    /// Where it is loaded.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) kind: ImportKind,
    pub(super) is_optional: bool,
    /// Whether it is in a `node_modules`, or in a folder of `NODE_PATH`.
    pub(super) is_there: bool,
}

/// What a file may end with, where its name is written without.
const ENDINGS: [&str; 8] =
    ["", ".js", ".cjs", ".mjs", "/index.js", "/index.cjs", "/index.mjs", ".ts"];

/// Modules that Node has itself.
const OF_NODE: [&str; 44] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
    "_http_agent",
    "_tls_wrap",
];

/// The packages that are loaded by `file`, whose name may lack its ending, and by the files that it
/// loads. `searched` are the folders of `NODE_PATH`.
pub(super) fn packages_of(file: &Path, searched: &[PathBuf]) -> Vec<Package> {
    let mut queue: VecDeque<_> = whole(file).into_iter().collect();
    let mut seen: BTreeSet<_> = queue.iter().cloned().collect();
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    while let Some(file) = queue.pop_front() {
        let folder = file.parent().unwrap_or(Path::new("/"));
        for import in javascript_imports(&text(&file)) {
            if import.specifier.starts_with(['.', '/']) {
                let inner = whole(&folder.join(&import.specifier));
                let is_new = |inner: &PathBuf| seen.len() < FILES_MAX && seen.insert(inner.clone());
                queue.extend(inner.filter(is_new));
                continue;
            }
            let Some(name) = package(&import.specifier) else { continue };
            let package = Package {
                name: name.to_owned(),
                file: file.clone(),
                line: import.line,
                kind: import.kind,
                is_optional: import.is_optional,
                is_there: is_there(folder, name, searched),
            };
            let known = packages.entry(name.to_owned()).or_insert_with(|| package.clone());
            // The one that has the most to say.
            if (known.is_there, known.is_optional) > (package.is_there, package.is_optional) {
                *known = package;
            }
        }
    }
    packages.into_values().collect()
}

/// The file that a path stands for, if it is there.
fn whole(path: &Path) -> Option<PathBuf> {
    let files = ENDINGS.iter().map(|ending| PathBuf::from(format!("{}{ending}", path.display())));
    files.filter(|file| file.is_file()).find_map(|file| file.canonicalize().ok())
}

fn text(file: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The package of a specifier. None for modules of Node itself, and for what is no package.
fn package(specifier: &str) -> Option<&str> {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@/~".contains(&byte);
    let is_package = name.bytes().all(is_letter) && !name.is_empty() && !OF_NODE.contains(&name);
    is_package.then_some(name)
}

fn is_there(folder: &Path, name: &str, searched: &[PathBuf]) -> bool {
    let above = folder.ancestors().map(|folder| folder.join("node_modules"));
    let named = searched.iter().filter(|folder| folder.is_absolute()).cloned();
    above.chain(named).any(|folder| folder.join(name).exists())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{package, packages_of};

    #[test]
    fn specifiers_name_packages() {
        for (specifier, expected) in [
            ("lodash", Some("lodash")),
            ("lodash/get", Some("lodash")),
            ("@scope/name/inner", Some("@scope/name")),
            ("fs/promises", None),
            ("node:test", None),
            ("#inner", None),
            ("https://x/y.js", None),
        ] {
            assert_eq!(package(specifier), expected, "{specifier}");
        }
    }

    #[test]
    fn files_are_followed_from_the_handler_on() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("src/index.js", "require('./room'); require('fs'); require('a')"),
            (
                "src/room/index.js",
                "require('../index'); import('b'); try { require('c') } catch {}",
            ),
            ("src/test.js", "require('mocha')"),
            ("node_modules/a/index.js", "require('d')"),
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = packages_of(&folder.path().join("src/index"), &[]);
        let found: Vec<_> = found
            .iter()
            .map(|package| (package.name.as_str(), package.is_there, package.is_optional))
            .collect();
        assert_eq!(found, [("a", true, false), ("b", false, false), ("c", false, true)]);
    }
}
