//! A roster in a directory: an empty file for each connection.

use std::{fs, path::Path};

use object_store::local::LocalFileSystem;

use super::URL_KEY;
use crate::start_error::StartError;

/// Opens the directory. Makes it first if it is missing.
pub(super) fn open(path: &Path) -> Result<LocalFileSystem, StartError> {
    let failed = |problem: &str| {
        StartError::new(URL_KEY, format!("names {}, which {problem}", path.display()))
    };
    fs::create_dir_all(path)
        .map_err(|error| failed("cannot be made a directory").because(error))?;
    LocalFileSystem::new_with_prefix(path)
        .map_err(|error| failed("cannot be opened").because(error))
}
