//! `package.json`, as far as libraries are installed from it: without scripts of the author, which
//! npm would run, and without packages that are the author's own folders, which npm would write
//! into.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::up::libraries::need::Input;

pub(super) const FILE: &str = "package.json";
const BYTES_MAX: u64 = 1 << 20;
/// A lock may list thousands of packages.
const LOCK_BYTES_MAX: u64 = 16 << 20;
/// Files beside it that npm reads.
const BESIDE: [&str; 3] = ["package-lock.json", "npm-shrinkwrap.json", ".npmrc"];

#[derive(Debug, Clone, Default)]
pub(super) struct Manifest {
    pub(super) file: PathBuf,
    dependencies: Map<String, Value>,
    optional: Map<String, Value>,
    overrides: Option<Value>,
    beside: Vec<Input>,
    /// Packages that are not listed in the file.
    added: BTreeMap<&'static str, &'static str>,
    /// Packages that are left out, and the lines where they stand.
    pub(super) left_out: Vec<(String, usize)>,
}

impl Manifest {
    /// The error has the line that it is about.
    pub(super) fn read(file: &Path) -> Result<Self, (usize, String)> {
        let cannot = |error: io::Error| (1, format!("cannot be read: {error}"));
        let text = bounded(file, BYTES_MAX).map_err(cannot)?;
        let text = String::from_utf8_lossy(&text);
        let text = text.trim_start_matches('\u{feff}');
        let mut value: Value = serde_json::from_str(text)
            .map_err(|error| (error.line(), format!("is not JSON: {error}")))?;
        let mut manifest = Self { file: file.to_owned(), ..Self::default() };
        manifest.dependencies = manifest.taken(text, &mut value, "dependencies");
        manifest.optional = manifest.taken(text, &mut value, "optionalDependencies");
        manifest.overrides = value.get("overrides").cloned();
        let folder = file.parent().unwrap_or(Path::new("/"));
        for name in BESIDE {
            // A lock names packages that are left out.
            if name != ".npmrc" && !manifest.left_out.is_empty() {
                continue;
            }
            match bounded(&folder.join(name), LOCK_BYTES_MAX) {
                Ok(content) => manifest.beside.push(Input { name, content }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((1, format!("{name} beside it cannot be read: {error}"))),
            }
        }
        Ok(manifest)
    }

    fn taken(&mut self, text: &str, value: &mut Value, key: &str) -> Map<String, Value> {
        let Some(Value::Object(map)) = value.get_mut(key).map(Value::take) else {
            return Map::new();
        };
        let is_local = |value: &Value| {
            let version = value.as_str().unwrap_or_default();
            ["file:", "link:", "workspace:", ".", "/", "~/"]
                .iter()
                .any(|it| version.starts_with(it))
        };
        let (local, taken): (Map<_, _>, Map<_, _>) =
            map.into_iter().partition(|(_, version)| is_local(version));
        let line = |name: &str| {
            let at = text.find(&format!("\"{name}\"")).unwrap_or_default();
            1 + text[..at].matches('\n').count()
        };
        self.left_out.extend(local.keys().map(|name| (name.clone(), line(name))));
        taken
    }

    pub(super) fn lists(&self, package: &str) -> bool {
        self.dependencies.contains_key(package)
            || self.optional.contains_key(package)
            || self.added.contains_key(package)
    }

    pub(super) fn add(&mut self, packages: &BTreeMap<&'static str, &'static str>) {
        self.added.extend(packages);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let listed = self.dependencies.keys().chain(self.optional.keys()).map(String::as_str);
        listed.chain(self.added.keys().copied())
    }

    pub(super) fn has_left_out(&self, package: &str) -> bool {
        self.left_out.iter().any(|(name, _)| name == package)
    }

    /// Whether a listed package is not installed beside the file or above it.
    pub(super) fn has_missing(&self) -> bool {
        let folders: Vec<_> =
            self.file.ancestors().skip(1).map(|folder| folder.join("node_modules")).collect();
        let is_there = |name: &String| folders.iter().any(|folder| folder.join(name).exists());
        self.dependencies.keys().any(|name| !is_there(name))
    }

    /// The files that npm reads.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let mut dependencies = self.dependencies.clone();
        dependencies
            .extend(self.added.iter().map(|(name, range)| ((*name).into(), (*range).into())));
        let mut package = json!({ "private": true, "dependencies": dependencies });
        if !self.optional.is_empty() {
            package["optionalDependencies"] = self.optional.clone().into();
        }
        if let Some(overrides) = &self.overrides {
            package["overrides"] = overrides.clone();
        }
        let package = Input { name: FILE, content: package.to_string().into_bytes() };
        [package].into_iter().chain(self.beside.iter().cloned()).collect()
    }
}

fn bounded(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    if fs::metadata(file)?.len() > bytes_max {
        return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
    }
    fs::read(file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::Manifest;

    #[test]
    fn scripts_and_folders_of_the_author_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"name\": \"mine\",\n\"scripts\": {\"postinstall\": \"x\"},\n\"dependencies\": {\n\
                    \"a\": \"^1\",\n\"b\": \"file:../b\"},\n\"devDependencies\": {\"c\": \"1\"}}";
        fs::write(folder.path().join("package.json"), text).unwrap();
        fs::write(folder.path().join("package-lock.json"), "{}").unwrap();
        fs::write(folder.path().join(".npmrc"), "registry=https://x/").unwrap();
        let manifest = Manifest::read(&folder.path().join("package.json")).unwrap();
        let inputs = manifest.inputs();
        let names: Vec<_> = inputs.iter().map(|input| input.name).collect();
        assert_eq!(names, ["package.json", ".npmrc"]);
        let package: Value = serde_json::from_slice(&inputs[0].content).unwrap();
        assert_eq!(package, json!({ "private": true, "dependencies": { "a": "^1" } }));
        assert_eq!(manifest.left_out, [("b".to_owned(), 5)]);
        assert!(manifest.has_missing());
        fs::create_dir_all(folder.path().join("node_modules/a")).unwrap();
        assert!(!manifest.has_missing());
    }

    #[test]
    fn a_broken_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("package.json");
        fs::write(&file, "{\n\"dependencies\": {,}}").unwrap();
        let (line, what) = Manifest::read(&file).unwrap_err();
        assert_eq!(line, 2, "{what}");
    }
}
