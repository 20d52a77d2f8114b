//! Whatever is in the files, reading them ends without a panic, and the settings are TOML.

use std::{collections::BTreeMap, fs};

use project::Surroundings;
use proptest::{collection::vec, prelude::*, sample::select};
use toml::Table;

use super::{sample, written};

/// Sample documents to take apart.
const SAMPLES: [&str; 6] = [
    "python-map/serverless.yml",
    "node-map/serverless.yml",
    "websocket/serverless.yml",
    "multi/serverless.yml",
    "sam/template.yaml",
    "broken/serverless.yml",
];

fn check(text: &[u8], dotenv: &str) {
    let files =
        [("index.py", "'api-aaaaaaa1'"), ("index.js", ""), ("sls.js", ""), (".env", dotenv)];
    let folder = written(&files);
    for name in ["serverless.yml", "template.yaml"] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let reading = project::read(folder.path(), &BTreeMap::new());
    let texts = reading.project.settings(&Surroundings::default());
    let all = [Some(texts.gateway), Some(texts.functions), texts.cos];
    for text in all.into_iter().flatten() {
        text.parse::<Table>().unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

fn samples() -> Vec<String> {
    SAMPLES.iter().map(|file| fs::read_to_string(sample(file)).unwrap()).collect()
}

/// What is put into a good document.
fn pieces() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            ":",
            "- ",
            "\n",
            "\t",
            "${",
            "}",
            "${name}",
            "${env:A}",
            "[",
            "]",
            "{",
            "&a ",
            "*a",
            "!x ",
            "null",
            "\"",
            "'",
            "|\n",
            "#",
            "\u{feff}",
            "<<: ",
            "---\n",
            "../",
            "/",
            "9999999999999999",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "[ -~\n\t\r€-]{0,200}|\\PC{0,80}", dotenv in "\\PC{0,40}") {
        check(text.as_bytes(), &dotenv);
        check(format!("component: scf\nname: x\ninputs:\n  {text}\n").as_bytes(), &dotenv);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..200)) {
        check(&bytes, "");
    }

    #[test]
    fn mangled_projects_are_read_without_a_panic(
        which in 0..SAMPLES.len(),
        cuts in vec((any::<prop::sample::Index>(), 0..12_usize, pieces()), 1..6),
    ) {
        let mut text: Vec<char> = samples()[which].chars().collect();
        for (at, length, piece) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        check(text.iter().collect::<String>().as_bytes(), "A=${name}\n");
    }
}

#[test]
fn files_with_a_fault_in_each_line_are_read_and_the_notes_are_bounded() {
    let keys: String = (0..20_000).map(|number| format!("  key{number}: 1\n")).collect();
    let text = format!("component: scf\nname: x\ninputs:\n{keys}");
    let folder = written(&[("serverless.yml", &text), ("index.js", "")]);
    let reading = project::read(folder.path(), &BTreeMap::new());
    assert_eq!(reading.notes.len(), 1001);
    assert!(reading.has_errors());
}
