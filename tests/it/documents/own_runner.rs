//! The runner with functions of its own: the program of docs/functions.md is the example, with its
//! settings. `examples.rs` runs it.

use std::path::Path;

use super::blocks::{Block, ROOT, blocks, named, read};

const DOCUMENT: &str = "docs/functions.md";

/// The settings beside the program, by a piece of theirs.
fn settings(file: &str, piece: &str) -> Block {
    let mut blocks = blocks(DOCUMENT).into_iter().filter(|block| block.name == file);
    blocks.find(|block| block.text.contains(piece)).unwrap()
}

#[test]
fn the_program_and_the_settings_in_the_document_are_the_example() {
    assert_eq!(named(DOCUMENT, "rust", "main.rs").text, read("examples/own-runner/main.rs"));
    for (file, piece) in
        [("functions.toml", "[functions.token-register]"), ("gateway.toml", "\"token-register\"")]
    {
        let text = settings(file, piece).text;
        assert_eq!(text, read(&format!("examples/own-runner/{file}")), "{file}");
    }
}

/// The trait is quoted without its comments.
#[test]
fn the_trait_in_the_document_is_that_of_the_crate() {
    let source = read("functions/src/function.rs");
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let mut blocks = blocks(DOCUMENT).into_iter().filter(|block| block.language == "rust");
    let block = blocks.find(|block| block.name.is_empty()).unwrap();
    for line in block.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(lines.contains(&line), "{}: {line}", block.place());
    }
}

#[test]
fn the_manifest_in_the_document_names_what_the_program_uses() {
    let manifest = named(DOCUMENT, "toml", "Cargo.toml").text;
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    let program = read("examples/own-runner/main.rs");
    let ours = read("Cargo.toml");
    for line in dependencies.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        let used = name.replace('-', "_");
        assert!(program.contains(&format!("{used}::")), "{name} is not used");
        if let Some((_, path)) = value.split_once("path = \"../longhold/") {
            let folder = path.split('"').next().unwrap();
            assert!(Path::new(ROOT).join(folder).join("Cargo.toml").exists(), "{line}");
        } else {
            let version = value.split('"').nth(1).unwrap();
            let known = ours.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
            assert!(known.contains(&format!("\"{version}")), "{line}, but we use {known}");
        }
    }
    for line in program.lines().filter_map(|line| line.strip_prefix("use ")) {
        let used = line.split("::").next().unwrap();
        let names = dependencies.replace('-', "_");
        let is_named = used == "std" || names.contains(&format!("{used} = "));
        assert!(is_named, "{used} is not among the dependencies");
    }
}
