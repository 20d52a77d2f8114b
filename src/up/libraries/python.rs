//! Libraries of functions in Python.

mod image;
mod imported;
mod imports;
mod requirements;
mod words;

use std::{fs, io, path::Path, process::Command};

pub(super) use self::imported::Imported;
use super::{install::quoted, need::Need};

const REQUIREMENTS: &str = "requirements.txt";

/// What the person who runs this has set up for themselves must not keep pip from a folder.
pub(super) const VARIABLES: [(&str, &str); 4] = [
    ("PIP_USER", "0"),
    ("PIP_REQUIRE_VIRTUALENV", "0"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_NO_INPUT", "1"),
];

/// pip, with its input and its target in `folder`.
pub(super) fn command(need: &Need, folder: &Path) -> Command {
    let mut command = Command::new(&need.interpreter.executable);
    command.args(["-m", "pip", "install", "--target"]).arg(folder);
    command.arg("--requirement").arg(folder.join(REQUIREMENTS));
    command
}

/// The same for a shell.
pub(super) fn by_hand(need: &Need, folder: &Path) -> String {
    let python = quoted(&need.interpreter.executable);
    let (target, input) = (quoted(folder), quoted(&folder.join(REQUIREMENTS)));
    format!("{python} -m pip install --target {target} --requirement {input}")
}

/// The package that has `qcloud_cos` under its other name. Only the cloud's image has it, no
/// registry.
const OTHER_NAME: &str = include_str!("python/qcloud_cos_v5.py");

/// Adds to a folder of libraries what no registry has.
pub(super) fn complete(folder: &Path) -> io::Result<()> {
    let package = folder.join("qcloud_cos_v5");
    if !folder.join("qcloud_cos").is_dir() || package.exists() {
        return Ok(());
    }
    fs::create_dir(&package)?;
    fs::write(package.join("__init__.py"), OTHER_NAME)
}

pub(super) fn no_pip(python: &str) -> String {
    format!(
        "{python} has no pip; install it (Debian and Ubuntu: apt install python3-pip; others: \
         {python} -m ensurepip)"
    )
}
