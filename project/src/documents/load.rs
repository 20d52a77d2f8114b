//! Reads the files that describe a project.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Document, dotenv, instance::instances};
use crate::{
    files::{Form, TextError, find, read_text},
    note::{Notes, Severity, Spot},
    yaml::{self, Node},
};

/// The longest `.env` file, in bytes.
const DOTENV_BYTES_MAX: u64 = 256 * 1024;

/// Reads the files below `folder`. `sources` gets the path of each that was looked for.
pub(crate) fn load(folder: &Path, notes: &mut Notes, sources: &mut Vec<PathBuf>) -> Vec<Document> {
    let found = match find(folder) {
        Ok(found) => found,
        Err(error) => {
            let what = format!("the folder {} cannot be read: {error}", folder.display());
            notes.general(Severity::Error, what);
            return Vec::new();
        }
    };
    if found.files.is_empty() {
        let what = format!(
            "there is no serverless.yml and no template.yaml in {} and the folders below; name the \
             folder that has one",
            folder.display()
        );
        notes.general(Severity::Error, what);
    }
    if found.is_cut {
        let what = "the folder has too many files and folders, so that not all were looked at; \
                    name a folder of one project";
        notes.general(Severity::Warning, what);
    }
    let mut documents: Vec<Document> = Vec::new();
    for (file, form) in found.files {
        let is_described =
            |other: &Document| other.file.parent() == file.parent() && !other.instances.is_empty();
        // In order of their names, serverless.yml comes before template.yaml.
        if form == Form::Template && documents.iter().any(is_described) {
            let spot = Spot { file: file.into(), line: 1 };
            notes.info(&spot, "this is ignored: the serverless.yml beside it describes the same");
            continue;
        }
        documents.extend(document(folder, &file, form, notes, sources));
    }
    let is_empty = documents.iter().all(|document| document.instances.is_empty());
    if is_empty && !sources.is_empty() && !notes.has_errors() {
        notes.general(Severity::Error, "no file of the project describes a function");
    }
    documents
}

fn document(
    folder: &Path,
    file: &Path,
    form: Form,
    notes: &mut Notes,
    sources: &mut Vec<PathBuf>,
) -> Option<Document> {
    let path = folder.join(file);
    let file: Arc<Path> = file.into();
    let spot = |line| Spot { file: file.clone(), line };
    sources.push(path.clone());
    let text = match read_text(&path, yaml::BYTES_MAX) {
        Ok(text) => text,
        Err(TextError::NotThere) => return None,
        Err(TextError::Other { what, line }) => {
            notes.error(&spot(line), format!("the file {what}"));
            return None;
        }
    };
    let parsed = match yaml::parse(&file, &text) {
        Ok(parsed) => parsed,
        // A template of another program need not be YAML.
        Err(_) if form == Form::Template && !text.contains("Serverless::Function") => return None,
        Err(error) => {
            notes.error(&spot(error.line), format!("this is no YAML: {}", error.what));
            return None;
        }
    };
    let Some(root) = parsed.root else {
        notes.error(&spot(1), "the file is empty; write component: scf, name and inputs");
        return None;
    };
    if !root.is_map() {
        let what = format!("the document is {}, and should be a map of keys", root.kind());
        notes.error(&root.spot, what);
        return None;
    }
    if let Some(line) = parsed.second {
        notes.warning(&spot(line), "only the first document of a file is read; this is ignored");
    }
    let (instances, is_map) = instances(&root, form, notes);
    if form == Form::Template && instances.is_empty() {
        return None;
    }
    let dotenv = environment(folder, &file, &root, notes, sources);
    Some(Document { file, root, is_map, instances, dotenv })
}

/// What the `.env` files say, beside the document and in the folders above it within the project.
/// The nearest comes first, and that of the stage before the general one.
fn environment(
    folder: &Path,
    file: &Path,
    root: &Node,
    notes: &mut Notes,
    sources: &mut Vec<PathBuf>,
) -> BTreeMap<String, String> {
    let stage = root.get("stage").and_then(Node::text).filter(|stage| is_plain(stage));
    let of_stage = format!(".env.{}", stage.unwrap_or("dev"));
    let mut values = BTreeMap::new();
    for below in file.ancestors().skip(1) {
        for name in [of_stage.as_str(), ".env"] {
            for (key, value) in one(folder, &below.join(name), notes, sources) {
                values.entry(key).or_insert(value);
            }
        }
    }
    values
}

/// Whether it can be a part of a file's name.
fn is_plain(stage: &str) -> bool {
    !stage.is_empty()
        && stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn one(
    folder: &Path,
    file: &Path,
    notes: &mut Notes,
    sources: &mut Vec<PathBuf>,
) -> BTreeMap<String, String> {
    let path = folder.join(file);
    let spot = |line| Spot { file: file.into(), line };
    if !sources.contains(&path) {
        sources.push(path.clone());
    }
    match read_text(&path, DOTENV_BYTES_MAX) {
        Ok(text) => {
            let (values, unread) = dotenv::parse(&text);
            for line in unread {
                notes.warning(&spot(line), "the line is ignored; write KEY=value");
            }
            values
        }
        Err(TextError::NotThere) => BTreeMap::new(),
        Err(TextError::Other { what, line }) => {
            notes.error(&spot(line), format!("the file {what}"));
            BTreeMap::new()
        }
    }
}
