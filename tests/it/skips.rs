//! A skipped test is seen, although it passes.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Output},
};

/// A test that needs a tool.
const TEST: &str = "conformance::autobahn_finds_nothing_wrong";

/// A program in a run of its own.
fn run(program: PathBuf, arguments: &[&str], run: &str, ci: Option<&str>) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).env("NEXTEST_RUN_ID", run);
    command.env_remove("CI").env_remove("LONGHOLD_KOSOKU").env_remove("NEXTEST");
    command.envs(ci.map(|ci| ("CI", ci))).output().unwrap()
}

/// The program that ends each run of tests: the newest, if several were built.
fn number() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let files = fs::read_dir(tests.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let programs = files.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("number-") && path.extension().is_none()
    });
    let newest = programs.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    newest.expect("run cargo test --workspace")
}

#[test]
fn a_skipped_test_says_so_once_and_is_counted_at_the_end() {
    let id = format!("skips-{}", std::process::id());
    // As Cargo runs it: what it prints is captured.
    let skipped = run(env::current_exe().unwrap(), &["--exact", TEST], &id, None);
    assert!(skipped.status.success());
    let said = String::from_utf8(skipped.stderr).unwrap();
    let line = format!("skipped: {TEST}: set LONGHOLD_KOSOKU to the command");
    assert_eq!(said.matches(&line).count(), 1, "{said}");

    let last_line = |expected: &str| {
        let counted = run(number(), &["a-filter"], &id, None);
        assert!(counted.status.success());
        assert_eq!(String::from_utf8(counted.stdout).unwrap(), format!("{expected}\n"));
    };
    last_line("1 test was skipped, or a part of it: the lines `skipped` say why");
    last_line("no test was skipped");
}

#[test]
fn in_ci_a_missing_tool_is_a_failure() {
    let id = format!("skips-ci-{}", std::process::id());
    let failed = run(env::current_exe().unwrap(), &["--exact", TEST], &id, Some("true"));
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stdout).contains("in CI nothing may be missing"));
}
