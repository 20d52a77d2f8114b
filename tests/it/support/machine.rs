//! What this machine allows. A test that depends on more is skipped, and says so.

use std::process::Command;

use nix::unistd::Uid;

/// Whether shell commands succeed on this machine. If not, a test that depends on them is skipped.
pub(crate) fn allows(shell: &str) -> bool {
    let tried = Command::new("/bin/sh").args(["-c", shell]).output().unwrap();
    if !tried.status.success() {
        skipped::because(format!("this machine forbids {shell:?}"));
    }
    tried.status.success()
}

/// Whether the tests run as root. If not, a test that depends on that is skipped.
pub(crate) fn is_root() -> bool {
    let is_root = Uid::effective().is_root();
    if !is_root {
        skipped::because("it needs root");
    }
    is_root
}
