//! docs/settings.md has every key of the settings files, with the values and the default that the
//! code knows, and no other key.

use std::{collections::BTreeSet, fs, path::Path};

use daemon::settings::Key;

/// The document, without the marks of code.
fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    fs::read_to_string(path).unwrap().replace('`', "")
}

/// The part of `document` on the settings of `file`.
fn part<'a>(document: &'a str, file: &str) -> &'a str {
    let (_, part) = document.split_once(&format!("\n## {file}\n")).unwrap();
    part.split("\n## ").next().unwrap()
}

/// The parts of the settings of a file, one for each table: its name, and what is said of it.
fn tables(part: &str) -> impl Iterator<Item = (&str, &str)> {
    part.split("\n### ").skip(1).map(|table| {
        let (heading, text) = table.split_once('\n').unwrap();
        (if heading.starts_with('[') { heading } else { "" }, text)
    })
}

/// The rows of the table of keys in `text`.
fn keys<'a>(table: &'a str, text: &'a str) -> impl Iterator<Item = Key> + 'a {
    let rows = text.lines().skip_while(|line| *line != "| key | values | default | meaning |");
    rows.skip(2).map_while(|row| row.strip_prefix("| ")?.strip_suffix(" |")).map(move |row| {
        let [name, values, default, meaning]: [_; 4] =
            row.split(" | ").map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        assert!(meaning.ends_with('.'), "{row}");
        Key { table: table.to_owned(), name, values, default }
    })
}

/// The part of the name of a variable that stands for `table`.
fn variable(table: &str) -> String {
    let parts = table.trim_matches(['[', ']']).split('.').filter(|part| !part.is_empty());
    let number = if table.starts_with("[[") { "<NUMBER>__" } else { "" };
    let mut parts: Vec<_> = parts.map(|part| part.to_uppercase() + "__").collect();
    // The tables of an API: it is one of a list.
    if parts.len() > 1 && parts[0] == "API__" {
        parts[0] += "<NUMBER>__";
    }
    parts.concat() + number
}

#[track_caller]
fn check(file: &str, prefix: &str, known: Vec<Key>) {
    let document = document();
    let part = part(&document, file);
    let documented: Vec<Key> = tables(part).flat_map(|(table, text)| keys(table, text)).collect();
    let line = |key: &Key| {
        let Key { table, name, values, default } = key;
        format!("{table} {name}: {values}; default {default}")
    };
    let lines = |keys: Vec<Key>| keys.iter().map(line).collect::<BTreeSet<_>>();
    let (documented, known) = (lines(documented), lines(known));
    let not_documented: Vec<_> = known.difference(&documented).collect();
    let not_known: Vec<_> = documented.difference(&known).collect();
    assert!(
        not_documented.is_empty() && not_known.is_empty(),
        "{file} in docs/settings.md\nlacks {not_documented:#?}\nhas what the code does not know: \
         {not_known:#?}",
    );
    for (table, text) in tables(part) {
        let line = format!("Variable: {prefix}__{}<KEY>", variable(table));
        assert!(text.lines().any(|found| found == line), "{file} {table} lacks: {line}");
    }
}

#[test]
fn every_key_of_gateway_toml_is_documented() {
    check("gateway.toml", gateway::settings::PREFIX, gateway::settings::Settings::keys());
}

#[test]
fn every_key_of_functions_toml_is_documented() {
    let keys = function_runner::Settings::keys();
    check("functions.toml", function_runner::settings::PREFIX, keys);
}

#[test]
fn every_key_of_cos_toml_is_documented() {
    check("cos.toml", cos::settings::PREFIX, cos::Settings::keys());
}
