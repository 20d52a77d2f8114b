//! SECURITY.md, and the table of libraries in docs/cloud-names.md, promise nothing that no test
//! shows.

use std::{collections::BTreeSet, fs, path::Path};

use super::blocks::{ROOT, read};
use crate::architecture::{FOLDERS, rust_files};

/// The names of all tests of the repository.
fn tests() -> BTreeSet<String> {
    let files = FOLDERS.iter().flat_map(|folder| rust_files(&Path::new(ROOT).join(folder)));
    files.flat_map(|file| names_in(&fs::read_to_string(file).unwrap())).collect()
}

/// The functions after `#[test]` and `#[tokio::test]`.
fn names_in(text: &str) -> Vec<String> {
    let after = text.split("test]").chain(text.split("#[tokio::test(")).skip(1);
    let names = after.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The tests that the last cell of a line names.
fn named(line: &str) -> Vec<&str> {
    let last = line.trim_end_matches(" |").rsplit_once('|').map_or("", |(_, last)| last);
    let quoted = last.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.contains('_') && !name.contains(['.', '['])).collect()
}

#[test]
fn each_promise_names_a_test_that_there_is() {
    let tests = tests();
    for (file, least) in [("SECURITY.md", 25), ("docs/cloud-names.md", 8)] {
        let text = read(file);
        // In tables and in sentences.
        let quoted = text.split('`').skip(1).step_by(2);
        let is_other = |c: char| c.is_uppercase() || ['.', '[', '/'].contains(&c);
        let is_test = |name: &&str| name.matches('_').count() > 2 && !name.contains(is_other);
        let promises: Vec<_> = quoted.filter(is_test).collect();
        assert!(promises.len() > least, "{promises:?}");
        for name in promises {
            let test = name.rsplit("::").next().unwrap();
            assert!(tests.contains(test), "{file} names {name}, which is no test");
        }
    }
}

#[test]
fn each_line_of_what_somebody_cannot_do_has_a_test() {
    let text = read("SECURITY.md");
    let (mut is_promise, mut lines) = (false, 0);
    for line in text.lines() {
        if !line.starts_with('|') {
            is_promise = false;
        } else if line.contains("can") && line.ends_with("| test |") {
            is_promise = true;
        } else if is_promise && !line.starts_with("|--") {
            assert!(!named(line).is_empty(), "no test: {line}");
            lines += 1;
        }
    }
    assert!(lines > 15, "{lines}");
}
