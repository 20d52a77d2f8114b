//! Each Chinese document has what the English one has: sections, samples and links in the same
//! order. The READMEs are short enough to be read.

use super::blocks::{blocks, read};

/// The documents in English, and in Chinese.
const PAIRS: [(&str, &str); 2] =
    [("README.md", "README.zh-CN.md"), ("docs/migrating.md", "docs/migrating.zh-CN.md")];
const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];
const LINES_MAX: usize = 200;

fn links(document: &str) -> Vec<String> {
    let text = read(document);
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    // Sentences may be in another order. Each document names the other, and its own headings.
    let name = document.rsplit('/').next().unwrap().split('.').next().unwrap();
    let is_own = |target: &&str| target.starts_with(name) || target.starts_with('#');
    let mut targets: Vec<_> = targets.filter(|target| !is_own(target)).map(str::to_owned).collect();
    targets.sort();
    targets.dedup();
    targets
}

fn count(document: &str, begins: &str) -> usize {
    read(document).lines().filter(|line| line.starts_with(begins)).count()
}

#[test]
fn both_documents_have_the_same_samples_links_and_sections() {
    let code = |document| -> Vec<_> {
        let blocks = blocks(document).into_iter();
        blocks.map(|b| (b.language.clone(), b.name.clone(), b.without_comments("#"))).collect()
    };
    for (english, chinese) in PAIRS {
        assert_eq!(code(english), code(chinese));
        assert_eq!(links(english), links(chinese));
        for begins in ["# ", "## ", "- ", "| ", "1. ", "2. ", "3. ", "4. ", "5. "] {
            let (one, other) = (count(english, begins), count(chinese, begins));
            assert_eq!(one, other, "{english}: lines with {begins:?}");
        }
    }
}

#[test]
fn both_readmes_are_short() {
    for document in READMES {
        let lines = read(document).lines().count();
        assert!(lines <= LINES_MAX, "{document} has {lines} lines");
    }
}

/// An emphasis that ends with a punctuation mark, with no blank after it, is shown as asterisks.
#[test]
fn no_emphasis_of_a_chinese_document_is_broken() {
    let text = PAIRS.map(|(_, chinese)| read(chinese)).concat();
    for line in text.lines() {
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
