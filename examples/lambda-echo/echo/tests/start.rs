//! Tests the binary. Because this is an integration test of the package, `cargo test --workspace`
//! builds the binary, which the tests at the root need.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

#[test]
fn without_a_push_url_the_binary_ends_with_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("url is missing"), "{stderr}");
}
