//! The command line of the binary. That this is an integration test of its package also makes
//! `cargo test --workspace` build the binary, which the tests at the root start.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway")).args(arguments).output().unwrap()
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
