//! Keeps an instance out of the folders of secrets where no mount can be made, as in most
//! containers, with Landlock (`landlock(7)`).
//!
//! Landlock allows and does not deny. So all is allowed but those folders: what lies beside each of
//! them, and beside each folder above. Files that are made in a folder above while the instance
//! runs are closed to it too. So this is done only for folders with nothing but secrets in them.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use landlock::{
    AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError,
};

use super::trial;

/// The fence around the folders of secrets, for one instance.
#[derive(Debug)]
pub(super) struct SecretFence(RulesetCreated);

impl SecretFence {
    /// None if no folder has nothing but `secrets` in it, or the system has no such fence.
    pub(super) fn new(secrets: &[PathBuf]) -> Option<Self> {
        let closed = folders_of_secrets(secrets);
        if closed.is_empty() {
            return None;
        }
        around(&closed).ok().map(Self)
    }

    /// Puts it around this process, and all that it starts. Only system calls are made.
    pub(super) fn set(&self) -> io::Result<()> {
        let ruleset = self.0.try_clone()?;
        ruleset.restrict_self().map(drop).map_err(|_| ErrorKind::PermissionDenied.into())
    }
}

/// Those of `secrets` that instances of the runner's user can read although there is a fence, or
/// since there is none.
pub(super) fn left_open(secrets: &[PathBuf]) -> Vec<PathBuf> {
    let fence = SecretFence::new(secrets);
    let works = fence.is_some_and(|fence| trial::succeeds(move || fence.set()));
    let closed = if works { folders_of_secrets(secrets) } else { BTreeSet::new() };
    let is_open = |file: &PathBuf| file.parent().is_none_or(|folder| !closed.contains(folder));
    secrets.iter().filter_map(|file| file.canonicalize().ok()).filter(is_open).collect()
}

/// The folders that have nothing but `secrets` in them, without symbolic links.
fn folders_of_secrets(secrets: &[PathBuf]) -> BTreeSet<PathBuf> {
    let files = secrets.iter().filter_map(|file| file.canonicalize().ok());
    let files: BTreeSet<PathBuf> = files.collect();
    let folders = files.iter().filter_map(|file| file.parent());
    let has_only_secrets = |folder: &&Path| {
        entries(folder).is_ok_and(|all| all.iter().all(|entry| files.contains(entry)))
    };
    folders.filter(has_only_secrets).map(Path::to_owned).collect()
}

/// The rules that allow all but `closed`.
fn around(closed: &BTreeSet<PathBuf>) -> Result<RulesetCreated, RulesetError> {
    // Of a file these are all that counts here: what can be read or changed.
    let of_files = AccessFs::ReadFile | AccessFs::WriteFile;
    // Without a rule for it, no file could be moved to another folder.
    let all = of_files | AccessFs::Refer;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(all)?
        .create()?;
    let above: BTreeSet<&Path> =
        closed.iter().flat_map(|folder| folder.ancestors().skip(1)).collect();
    for folder in &above {
        for entry in entries(folder).unwrap_or_default() {
            if !closed.contains(&entry) && !above.contains(&*entry) {
                rules = allow(rules, &entry, all, of_files)?;
            }
        }
    }
    Ok(rules)
}

/// Allows `entry` and all below it. One that is gone, or is a link, needs no rule.
fn allow(
    rules: RulesetCreated,
    entry: &Path,
    of_folders: BitFlags<AccessFs>,
    of_files: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(kind) = entry.symlink_metadata().map(|metadata| metadata.file_type()) else {
        return Ok(rules);
    };
    let Ok(opened) = PathFd::new(entry) else { return Ok(rules) };
    match kind {
        _ if kind.is_symlink() => Ok(rules),
        _ if kind.is_dir() => rules.add_rule(PathBeneath::new(opened, of_folders)),
        _ => rules.add_rule(PathBeneath::new(opened, of_files)),
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::folders_of_secrets;

    #[test]
    fn only_folders_of_nothing_but_secrets_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["closed/a", "closed/b", "mixed/a", "mixed/code"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "text").unwrap();
        }
        let secrets = ["closed/a", "closed/b", "mixed/a", "gone/a"].map(|name| root.join(name));
        let folders: Vec<_> = folders_of_secrets(&secrets).into_iter().collect();
        assert_eq!(folders, [root.join("closed")]);
    }
}
