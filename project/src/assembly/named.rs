//! What the code and the environment of each function name of the cloud.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    code::{Mentions, files_of, handler_files, read},
    model::Function,
    note::Place,
};

/// How much code of one folder is read, in bytes.
const BYTES_MAX: usize = 8 * 1024 * 1024;
const ENDINGS: [&str; 5] = ["py", "js", "ts", "mjs", "cjs"];

/// What all functions name.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Ids of APIs, by the names of functions.
    pub(super) api_ids: BTreeMap<String, BTreeSet<String>>,
    /// Buckets with the number of the account, and the region if it stands beside.
    pub(super) buckets: BTreeMap<String, (Place, Option<String>)>,
    pub(super) app_ids: BTreeMap<String, Place>,
    pub(super) uses_cos: bool,
}

/// A file of code and what it names.
type Files = Vec<(PathBuf, Mentions)>;

impl Named {
    /// Reads the code of `functions`. Places are relative to `folder`.
    pub(super) fn read(folder: &Path, functions: &[Function]) -> Self {
        let mut named = Self::default();
        let mut folders: BTreeMap<&Path, Files> = BTreeMap::new();
        for function in functions {
            let files = folders.entry(&function.code).or_insert_with(|| mentions(&function.code));
            let mut ids = BTreeSet::new();
            for value in function.environment.values() {
                let mentions = Mentions::of_value(value);
                ids.extend(mentions.api_ids.keys().cloned());
                named.add(&function.place.file, Some(function.place.line), mentions);
            }
            let own: Vec<_> =
                handler_files(function).iter().map(|file| function.code.join(file)).collect();
            let in_files = |is_meant: &dyn Fn(&Path) -> bool| -> BTreeSet<String> {
                let files = files.iter().filter(|(path, _)| is_meant(path));
                files.flat_map(|(_, mentions)| mentions.api_ids.keys().cloned()).collect()
            };
            ids.extend(in_files(&|path| own.iter().any(|own| own == path)));
            // Several functions have one folder, and each has its file. Only what none of these
            // names can come from a file that they share.
            if ids.is_empty() {
                ids = in_files(&|_| true);
            }
            named.api_ids.insert(function.name.clone(), ids);
        }
        for (path, mentions) in folders.into_values().flatten() {
            let file = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            named.add(&file, None, mentions);
        }
        named
    }

    fn add(&mut self, file: &Path, line: Option<usize>, mentions: Mentions) {
        let place = |own| Place { file: file.to_owned(), line: line.unwrap_or(own) };
        for (name, (own, region)) in mentions.buckets {
            let known = self.buckets.entry(name).or_insert_with(|| (place(own), None));
            known.1 = known.1.take().or(region);
        }
        for (number, own) in mentions.app_ids {
            self.app_ids.entry(number).or_insert_with(|| place(own));
        }
        self.uses_cos |= mentions.uses_cos;
    }
}

fn mentions(code: &Path) -> Files {
    let mut left = BYTES_MAX;
    let mut files = Files::new();
    for path in files_of(code, &ENDINGS) {
        let Some(text) = read(&path) else { continue };
        let Some(rest) = left.checked_sub(text.len()) else { break };
        left = rest;
        files.push((path, Mentions::of_code(&text)));
    }
    files
}
