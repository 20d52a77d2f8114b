//! The binary by itself. That this is an integration test of its package also makes
//! `cargo test --workspace` build the binary, which the tests at the root start.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

#[test]
fn without_a_push_url_it_says_so_and_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("url is missing"), "{stderr}");
}
