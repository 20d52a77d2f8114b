//! `--version`: which version, and which commit it is built from.

use std::{fs, path::Path, process::Command};

use super::{PROGRAMS, ROOT};
use crate::support::process::binary;

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_program_names_its_version_and_its_commit() {
    for program in PROGRAMS {
        let said = output(Command::new(binary(program)).arg("--version"));
        let expected = format!("{program} {}\n", env!("LONGHOLD_VERSION"));
        assert_eq!(said, expected);
        assert!(said.contains(" (commit ") || said.contains(" (unknown commit)"), "{said}");
    }
}

/// The build script, run as Cargo does it.
fn version(script: &Path, package: &Path, profile: &str, commit: Option<&str>) -> String {
    let mut command = Command::new(script);
    command.env("CARGO_PKG_VERSION", "1.2.3").env("CARGO_MANIFEST_DIR", package);
    command.env("PROFILE", profile).env_remove("LONGHOLD_COMMIT");
    command.envs(commit.map(|commit| ("LONGHOLD_COMMIT", commit)));
    let said = output(&mut command);
    let mut lines = said.lines();
    lines
        .find_map(|line| line.strip_prefix("cargo:rustc-env=LONGHOLD_VERSION="))
        .unwrap()
        .to_owned()
}

#[test]
fn the_commit_is_that_of_the_variable_or_of_the_repository() {
    if Command::new("git").arg("--version").output().is_err() {
        skipped::without("git is missing (apt-get install git)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let source = Path::new(ROOT).join("build.rs");
    output(Command::new("rustc").args(["--edition", "2024", "-o"]).arg(&script).arg(source));

    // A tarball, or the context of an image.
    let repository = folder.path().join("repository");
    let package = repository.join("gateway");
    fs::create_dir_all(&package).unwrap();
    assert_eq!(version(&script, &package, "release", None), "1.2.3 (unknown commit)");
    assert_eq!(version(&script, &package, "release", Some("")), "1.2.3 (unknown commit)");
    assert_eq!(version(&script, &package, "release", Some("abc1234")), "1.2.3 (commit abc1234)");
    assert_eq!(version(&script, &package, "debug", Some("abc1234")), "1.2.3 (commit abc1234)");

    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"];
        let mut command = Command::new("git");
        command.args(identity).args(arguments).current_dir(&repository);
        // What the user has set, such as signatures, is left out.
        output(command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1"))
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "one"]);
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    let expected = format!("1.2.3 (commit {})", commit.trim());
    assert_eq!(version(&script, &package, "release", None), expected);
    assert_eq!(version(&script, &repository, "release", None), expected);
    assert_eq!(version(&script, &package, "debug", None), "1.2.3 (unknown commit)");
    // The commit of a repository around it says nothing about the code.
    let deeper = repository.join("vendor/longhold/gateway");
    fs::create_dir_all(&deeper).unwrap();
    assert_eq!(version(&script, &deeper, "release", None), "1.2.3 (unknown commit)");
}
