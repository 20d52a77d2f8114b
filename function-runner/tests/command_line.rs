//! The command line of the binary. That this is an integration test of its package also makes
//! `cargo test --workspace` build the binary, which the tests at the root start.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

fn run(arguments: &[&str]) -> Output {
    run_in(&env::temp_dir(), arguments)
}

/// A process that starts makes its files of tokens in its working directory.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function-runner"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

#[test]
fn help_names_the_settings_file_and_the_health_check() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(help.contains("--config") && help.contains("check"), "{help}");
}

#[test]
fn an_unknown_argument_is_named_with_exit_code_2() {
    let output = run(&["--nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--nonsense"));
}

/// A file with `text`, whose process ends at once: its exit code, and what it wrote to stderr.
fn run_with(text: &str, command: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    // No folder can be made below a file.
    let text = text.replace("<file>", folder.path().join("functions.toml").to_str().unwrap());
    let file = folder.path().join("functions.toml");
    fs::write(&file, text).unwrap();
    let arguments = [&["--config", file.to_str().unwrap()], command].concat();
    let output = run_in(folder.path(), &arguments);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_function_that_does_not_start_is_named_with_exit_code_2() {
    let text = "listen.internal = \"127.0.0.1:0\"\n\
                [functions.f]\nruntime = \"rust\"\nhandler = \"register\"\n\
                environment.url = \"http://127.0.0.1:1/api\"\n\
                environment.ROSTER_URL = \"<file>/roster\"";
    let (code, stderr) = run_with(text, &[]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("functions.toml: functions.f.environment.ROSTER_URL: "), "{stderr}");
    assert!(stderr.contains("cannot be made a directory"), "{stderr}");
}

#[test]
fn a_health_check_with_bad_settings_fails_as_any_other() {
    let (code, stderr) = run_with("listen.internal = 1", &["check"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("listen.internal"), "{stderr}");
}
