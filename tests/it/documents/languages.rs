//! The Chinese README has what the English one has: sections, samples and links in the same order.
//! Both are short enough to be read.

use super::blocks::{blocks, read};

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";
const LINES_MAX: usize = 200;

fn links(document: &str) -> Vec<String> {
    let text = read(document);
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    // Sentences may be in another order, and each names the other.
    let mut targets: Vec<_> =
        targets.filter(|target| !target.starts_with("README")).map(str::to_owned).collect();
    targets.sort();
    targets.dedup();
    targets
}

fn count(document: &str, begins: &str) -> usize {
    read(document).lines().filter(|line| line.starts_with(begins)).count()
}

#[test]
fn both_readmes_have_the_same_samples_links_and_sections() {
    let code = |document| -> Vec<_> {
        let blocks = blocks(document).into_iter();
        blocks.map(|b| (b.language.clone(), b.name.clone(), b.without_comments("#"))).collect()
    };
    assert_eq!(code(ENGLISH), code(CHINESE));
    assert_eq!(links(ENGLISH), links(CHINESE));
    for begins in ["# ", "## ", "- ", "| ", "1. ", "2. ", "3. ", "4. "] {
        assert_eq!(count(ENGLISH, begins), count(CHINESE, begins), "lines with {begins:?}");
    }
}

#[test]
fn both_readmes_are_short() {
    for document in [ENGLISH, CHINESE] {
        let lines = read(document).lines().count();
        assert!(lines <= LINES_MAX, "{document} has {lines} lines");
    }
}

/// An emphasis that ends with a punctuation mark, with no blank after it, is shown as asterisks.
#[test]
fn no_emphasis_of_the_chinese_readme_is_broken() {
    for line in read(CHINESE).lines() {
        for (index, part) in line.split("**").enumerate().skip(2) {
            let inner = line.split("**").nth(index - 1).unwrap_or_default();
            let ends = inner.chars().next_back();
            let follows = part.chars().next();
            let closes = index % 2 == 0;
            let is_mark = ends.is_some_and(|c| "。，：；、？！）”".contains(c));
            let is_glued = follows.is_some_and(|c| !c.is_whitespace());
            assert!(!(closes && is_mark && is_glued), "{line}");
        }
    }
}
