//! Says at the end of a run how many tests were skipped. Without the harness of Rust's tests, which
//! would capture the line.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::env;

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
    println!("{}", last_line(lines.len()));
}

fn last_line(count: usize) -> String {
    match count {
        0 => "no test was skipped".to_owned(),
        1 => "1 test was skipped: the line `skipped` says why".to_owned(),
        _ => format!("{count} tests were skipped: the lines `skipped` say why"),
    }
}
