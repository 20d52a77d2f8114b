//! Says at the end of a run how many tests were skipped. Without the harness of Rust's tests, which
//! would capture the line.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::{collections::BTreeSet, env};

use skipped::Run;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let is_nextest = env::var_os("NEXTEST").is_some();
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("number: test");
        }
        return;
    }
    let lines = Run::current().map(|run| run.take_lines()).unwrap_or_default();
    // Cargo has shown the lines already. nextest shows nothing of tests that pass, but for this
    // one.
    for line in lines.iter().filter(|_| is_nextest) {
        println!("{line}");
    }
    let tests: BTreeSet<_> = lines.iter().map(|line| test(line)).collect();
    println!("{}", last_line(tests.len()));
}

/// The test that a line names. A test that leaves out two parts has two lines.
fn test(line: &str) -> &str {
    line.split(": ").nth(1).unwrap_or_default()
}

fn last_line(count: usize) -> String {
    match count {
        0 => "no test was skipped".to_owned(),
        1 => "1 test was skipped, or a part of it: the lines `skipped` say why".to_owned(),
        _ => format!("{count} tests were skipped, or parts of them: the lines `skipped` say why"),
    }
}
