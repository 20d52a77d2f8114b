//! The documents of the repository and the fenced blocks in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A fenced block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The document, from the root of the repository.
    pub(super) document: String,
    /// The line of its first fence.
    line: usize,
    /// The first word of its info string.
    pub(super) language: String,
    /// The rest of it: what the block belongs into.
    pub(super) name: String,
    pub(super) text: String,
}

impl Block {
    /// Where it is, for a person.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }

    /// Its text without comments that begin with `mark`, and without blanks at the ends of lines.
    pub(super) fn without_comments(&self, mark: &str) -> String {
        let code = |line: &str| {
            let end = line.find(&format!(" {mark}")).unwrap_or(line.len());
            line[..end].trim_end().to_owned()
        };
        self.text.lines().map(code).collect::<Vec<_>>().join("\n")
    }
}

/// All documents, from the root of the repository.
pub(super) fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for folder in ["", "docs", "bench", "examples"] {
        collect(&Path::new(ROOT).join(folder), &mut documents, folder == "examples");
    }
    documents.sort();
    assert!(documents.len() > 10, "{documents:?}");
    documents
}

fn collect(folder: &Path, documents: &mut Vec<String>, deep: bool) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if deep && path.is_dir() {
            collect(&path, documents, false);
        }
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned());
        }
    }
}

pub(super) fn read(document: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(document)).unwrap()
}

/// The fenced blocks of all documents.
pub(super) fn all_blocks() -> Vec<Block> {
    documents().iter().flat_map(|document| blocks(document)).collect()
}

/// The fenced blocks of a document. One in a list is indented, and is given without that.
pub(super) fn blocks(document: &str) -> Vec<Block> {
    let text = read(document);
    let mut blocks = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let indent = line.len() - line.trim_start().len();
        let fence = line.trim_start().strip_prefix("```");
        match (open.take(), fence) {
            (None, Some(info)) => {
                let (language, name) = info.split_once(' ').unwrap_or((info, ""));
                let block = Block {
                    document: document.to_owned(),
                    line: number,
                    language: language.to_owned(),
                    name: name.trim().to_owned(),
                    text: String::new(),
                };
                open = Some((block, indent));
            }
            (Some((block, _)), Some("")) => blocks.push(block),
            (Some((mut block, depth)), _) => {
                block.text += line.get(depth.min(indent)..).unwrap_or_default();
                block.text += "\n";
                open = Some((block, depth));
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of {document} does not end");
    blocks
}

/// The block with this name, in all documents but the translation; there is one, or all are alike.
pub(super) fn named(document: &str, language: &str, name: &str) -> Block {
    let mut found = blocks(document)
        .into_iter()
        .filter(|block| block.language == language && block.name == name);
    let block = found.next().unwrap_or_else(|| panic!("{document} has no {language} {name}"));
    assert!(found.next().is_none(), "{document} has two blocks {language} {name}");
    block
}

/// The block of commands whose text has `piece`.
pub(super) fn with(document: &str, language: &str, piece: &str) -> Block {
    let mut found = blocks(document)
        .into_iter()
        .filter(|block| block.language == language && block.text.contains(piece));
    let block = found.next().unwrap_or_else(|| panic!("{document} has no {language}: {piece}"));
    assert!(found.next().is_none(), "{document} has two {language}: {piece}");
    block
}
