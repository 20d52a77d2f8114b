//! The command line of the binary. That this is an integration test of its package also makes
//! `cargo test --workspace` build the binary, which the tests at the root start.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    process::{Command, Output},
};

/// Runs the binary in an empty folder with this `cos.toml`.
fn run(text: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cos.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cos"));
    command.current_dir(folder.path()).args(arguments).output().unwrap()
}

#[test]
fn help_names_the_settings_file_and_the_health_check() {
    let help = String::from_utf8(run("", &["--help"]).stdout).unwrap();
    assert!(help.contains("--config") && help.contains("check"), "{help}");
}

#[test]
fn settings_with_problems_are_named_with_exit_code_2() {
    for (text, arguments, words) in [
        ("store.sync = \"off\"", &[][..], "cos.toml: store.sync: \"off\" is not valid"),
        ("store.dir = \"a\"\nstor.dir = \"b\"", &[], "did you mean \"store\""),
        ("", &["--nonsense"], "--nonsense"),
        ("", &["--config", "nowhere.toml"], "could not read nowhere.toml"),
    ] {
        let output = run(text, arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

/// Such as a name of a file that was pasted.
#[test]
fn what_is_said_controls_no_terminal() {
    let output = run("", &["--config", "\u{1b}[2Jnowhere.toml"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("could not read \\x1b[2Jnowhere.toml"), "{stderr}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_exit_code_1() {
    // No folder can be made below a file.
    let text = "listen.internal = \"127.0.0.1:0\"\nstore.dir = \"cos.toml/cos\"";
    let output = run(text, &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cos.toml/cos, which store.dir sets"), "{stderr}");
}

#[test]
fn a_health_check_finds_nobody_with_exit_code_1() {
    let output = run("listen.internal = \"127.0.0.1:1\"", &["check"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("could not connect to 127.0.0.1:1"), "{stderr}");
}
