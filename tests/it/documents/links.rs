//! Links between documents lead to a file, and to a heading where they name one.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use super::blocks::{ROOT, documents, read};

/// The text outside of fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let outside = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(path: &Path) -> HashSet<String> {
    let text = prose(&fs::read_to_string(path).unwrap());
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// What the links of a document lead to.
fn targets(document: &str) -> Vec<String> {
    let text = prose(&read(document));
    let after = text.split("](").skip(1);
    after.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn each_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    let mut known: HashMap<PathBuf, HashSet<String>> = HashMap::new();
    for document in documents() {
        let folder = Path::new(&document).parent().unwrap();
        for target in targets(&document) {
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { document.clone().into() } else { folder.join(file) };
            let whole = Path::new(ROOT).join(&path);
            assert!(whole.exists(), "{document} links to {target}, which is not there");
            if !heading.is_empty() {
                let path = whole.canonicalize().unwrap();
                let anchors = known.entry(path).or_insert_with_key(|path| anchors(path));
                assert!(anchors.contains(heading), "{document}: {target} not among {anchors:?}");
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}
