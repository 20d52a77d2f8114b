//! Removes contents that nothing names: an earlier process was killed before it committed them, or
//! after it committed that they are not needed.

use std::{collections::HashSet, io};

use tracing::{error, info, warn};

use super::OpenError;
use crate::store::{catalog::Catalog, file_name::FileName, files::Files, place::Groups};

/// What becomes of contents that the catalog does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnamed {
    Remove,
    /// Another copy of the catalog may name them.
    Keep,
}

/// Goes through all contents. `failed` makes an error of one of the catalog, `unlisted` of one of
/// the place.
pub(super) fn sweep(
    catalog: &mut Catalog,
    files: &Files,
    unnamed: Unnamed,
    failed: &impl Fn(rusqlite::Error) -> OpenError,
    unlisted: impl Fn(io::Error) -> OpenError,
) -> Result<(), OpenError> {
    let (mut superfluous, mut missing) = (0_usize, 0_usize);
    for group in files.place().groups().map_err(&unlisted)? {
        let (first, names) = group.map_err(&unlisted)?;
        let Compared { others, missing: more } = compare(catalog, &first, names).map_err(failed)?;
        superfluous += others.len();
        missing += more;
        match unnamed {
            Unnamed::Remove => files.remove(others.into_iter().map(FileName::of).collect()),
            Unnamed::Keep => catalog.add_strangers(&others).map_err(failed)?,
        }
    }
    if superfluous > 0 && unnamed == Unnamed::Remove {
        let removed = superfluous;
        info!(removed, "files of changes that an earlier process did not finish were removed");
    }
    if missing > 0 {
        error!(
            missing,
            "contents of the object store are missing: the machine lost power and store.sync is not \
             \"power\", or another program removed them; objects with them cannot be read"
        );
    }
    Ok(())
}

/// Notes all contents of a bucket that the catalog does not name, so that no start removes them.
pub(super) fn add_strangers(
    catalog: &mut Catalog,
    groups: Groups<'_>,
    failed: &impl Fn(rusqlite::Error) -> OpenError,
    unlisted: impl Fn(io::Error) -> OpenError,
) -> Result<(), OpenError> {
    let mut kept = 0;
    for group in groups {
        let (first, names) = group.map_err(&unlisted)?;
        let Compared { others, .. } = compare(catalog, &first, names).map_err(failed)?;
        kept += others.len();
        catalog.add_strangers(&others).map_err(failed)?;
    }
    if kept > 0 {
        warn!(kept, "contents that this catalog does not name stay in the bucket");
    }
    Ok(())
}

/// The contents of one group, compared with the catalog.
struct Compared {
    /// Those that it neither names nor keeps for another one.
    others: Vec<String>,
    /// How many it names that are not there.
    missing: usize,
}

fn compare(catalog: &Catalog, first: &str, names: Vec<String>) -> rusqlite::Result<Compared> {
    let mut named: HashSet<String> = catalog.files_in(first)?;
    let strangers = catalog.strangers_in(first)?;
    let is_other = |name: &String| !named.remove(name) && !strangers.contains(name);
    let others = names.into_iter().filter(is_other).collect();
    Ok(Compared { others, missing: named.len() })
}
