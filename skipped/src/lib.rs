//! Tests that this machine cannot run say so where it is seen: what a passing test prints with
//! macros is captured, and shown to nobody.
//!
//! Each writes a line to stderr itself, and into a file of its run. The test target `number` of
//! this crate runs last, and says how many lines there are.

mod run;

use std::{
    collections::BTreeSet,
    env,
    fmt::Display,
    fs::OpenOptions,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    thread,
};

pub use self::run::Run;

/// The lines of this process.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A test cannot run without a program, which `what` names together with a way to get it. In CI
/// that is a failure.
#[track_caller]
pub fn without(what: impl Display) {
    assert!(env::var_os("CI").is_none(), "in CI nothing may be missing: {what}");
    because(what);
}

/// A test, or a part of it, does not run on this machine.
pub fn because(reason: impl Display) {
    let line = format!("skipped: {}: {reason}", test());
    let is_new = SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone());
    if !is_new {
        return;
    }
    // Not with a macro, whose output is captured. If nobody can be told, the test passes all the
    // same.
    let _ = writeln!(io::stderr(), "{line}");
    if let Some(file) = Run::current().and_then(|run| run.file()) {
        let file = OpenOptions::new().create(true).append(true).open(file);
        let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    }
}

/// The name of the test: that of its thread, or of the process that runs only this test.
fn test() -> String {
    match thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => env::args().skip_while(|argument| argument != "--exact").nth(1).unwrap_or_default(),
    }
}
