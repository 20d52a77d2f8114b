//! Keeps an instance out of folders where no mount can be made, as in most containers, with
//! Landlock (`landlock(7)`).
//!
//! Landlock allows and does not deny. So all is allowed but those folders: what lies beside each of
//! them, and beside each folder above. Files that are made in a folder above while the instance
//! runs are closed to it too, so folders that have anything else in them are left open.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use landlock::{
    AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError,
};

use super::entries;

/// The fence around some folders, for one instance.
#[derive(Debug)]
pub(in super::super) struct Fence(RulesetCreated);

impl Fence {
    /// None if there is no folder, or the system has no such fence.
    pub(in super::super) fn around(folders: &BTreeSet<PathBuf>) -> Option<Self> {
        if folders.is_empty() {
            return None;
        }
        rules_around(folders).ok().map(Self)
    }

    /// Puts it around this process, and all that it starts. Only system calls are made.
    pub(in super::super) fn set(&self) -> io::Result<()> {
        let ruleset = self.0.try_clone()?;
        ruleset.restrict_self().map(drop).map_err(|_| ErrorKind::PermissionDenied.into())
    }
}

/// The rules that allow all but `closed`.
fn rules_around(closed: &BTreeSet<PathBuf>) -> Result<RulesetCreated, RulesetError> {
    // Of a file these are all that counts here: what can be read or changed.
    let of_files = AccessFs::ReadFile | AccessFs::WriteFile;
    // Without a rule for it, no file could be moved to another folder.
    let of_folders = of_files | AccessFs::Refer;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(of_folders)?
        .create()?;
    let above: BTreeSet<&Path> =
        closed.iter().flat_map(|folder| folder.ancestors().skip(1)).collect();
    for folder in &above {
        for entry in entries(folder).unwrap_or_default() {
            if !closed.contains(&entry) && !above.contains(&*entry) {
                rules = allow(rules, &entry, of_folders, of_files)?;
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
