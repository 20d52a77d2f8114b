//! Says from which commit a program is built: `--version` shows it.
//!
//! The commit is that of the variable `LONGHOLD_COMMIT`, for builds without the repository, such as
//! those of images. Else release builds ask git. Debug builds do not: with each commit, the crates
//! of all programs would be built again.

#![allow(clippy::print_stdout, reason = "Cargo reads it")]

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=LONGHOLD_COMMIT");
    let given = env::var("LONGHOLD_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| if is_release { commit_of_repository() } else { None });
    let commit = match commit {
        Some(commit) => format!("commit {}", commit.trim()),
        None => "unknown commit".to_owned(),
    };
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo:rustc-env=LONGHOLD_VERSION={version} ({commit})");
}

fn commit_of_repository() -> Option<String> {
    let package = env::var("CARGO_MANIFEST_DIR").ok()?;
    let package = Path::new(&package).canonicalize().ok()?;
    // The code may be in a folder of another repository, whose commit says nothing.
    let top = git(&package, &["rev-parse", "--show-toplevel"])?;
    let top = Path::new(&top).canonicalize().ok()?;
    if top != package && Some(top.as_path()) != package.parent() {
        return None;
    }
    // The second one has a new line after each change of HEAD.
    for name in ["HEAD", "logs/HEAD"] {
        let file = package.join(git(&package, &["rev-parse", "--git-path", name])?);
        if file.exists() {
            println!("cargo:rerun-if-changed={}", file.display());
        }
    }
    git(&package, &["rev-parse", "--short=12", "HEAD"])
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
