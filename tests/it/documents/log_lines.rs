//! Log lines and messages that the documents quote are in the code, word for word. `…` stands for a
//! part that differs.

use std::{fs, path::Path};

use super::blocks::{ROOT, blocks, read};

const CODE: [&str; 6] =
    ["gateway/src", "function-runner/src", "daemon/src", "functions/src", "shared/src", "src"];

/// All string literals of the code.
fn literals() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = CODE.iter().map(|folder| Path::new(ROOT).join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(path).unwrap();
                let text = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                // A character that is a quote would begin a literal.
                let text = text.collect::<Vec<_>>().join("\n").replace("'\"'", "");
                collect(&text, &mut found);
            }
        }
    }
    found
}

/// The string literals of `text`. A line that ends with a backslash goes on in the next one.
fn collect(text: &str, found: &mut Vec<String>) {
    let mut characters = text.chars().peekable();
    while characters.any(|c| c == '"') {
        let mut literal = String::new();
        while let Some(c) = characters.next_if(|c| *c != '"') {
            match c {
                '\\' if characters.peek() == Some(&'\n') => {
                    while characters.next_if(|c| c.is_whitespace()).is_some() {}
                }
                '\\' => literal.extend(characters.next()),
                c => literal.push(c),
            }
        }
        characters.next();
        found.push(literal);
    }
}

/// What a line has between the parts that differ, numbers among them: the code has placeholders
/// there.
fn pieces(line: &str) -> Vec<String> {
    let is_number = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    let words = line.split(' ').map(|word| if is_number(word) { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.split('…').map(|piece| piece.trim().to_owned()).collect()
}

/// Whether `literal` begins with the first of `pieces`, and has the others in their order.
fn says(literal: &str, pieces: &[String]) -> bool {
    let Some(mut rest) = literal.strip_prefix(&pieces[0]) else { return false };
    pieces[1..].iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// The quotes in the columns of tables whose heads say that they have some.
fn quoted(document: &str) -> Vec<String> {
    let text = read(document);
    let mut columns: Vec<bool> = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some(row) = line.strip_prefix('|') else {
            columns.clear();
            continue;
        };
        let cells: Vec<_> = row.split(" |").map(str::trim).collect();
        if columns.is_empty() {
            let heads = ["log", "stderr", "`error`"];
            columns = cells.iter().map(|c| heads.iter().any(|head| c.starts_with(head))).collect();
            continue;
        }
        for (cell, _) in cells.iter().zip(&columns).filter(|(_, is_quote)| **is_quote) {
            let spans = cell.split('`').skip(1).step_by(2);
            lines.extend(spans.filter(|span| span.contains(' ')).map(str::to_owned));
        }
    }
    lines
}

#[test]
fn each_quoted_log_line_is_in_the_code() {
    let literals = literals();
    let mut quotes = quoted("docs/troubleshooting.md");
    assert!(quotes.len() > 45, "{quotes:#?}");
    let logs = blocks("docs/operations.md");
    let logs = logs.iter().filter(|block| block.language == "text" && block.name == "log");
    quotes.extend(logs.map(|block| block.text.trim().to_owned()));
    let is_logged = |line: &String| {
        let pieces = pieces(line);
        literals.iter().any(|text| says(text, &pieces))
    };
    let missing: Vec<_> = quotes.iter().filter(|line| !is_logged(line)).collect();
    assert!(missing.is_empty(), "nothing logs these: {missing:#?}");
}
