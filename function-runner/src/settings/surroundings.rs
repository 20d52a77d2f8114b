//! What is known beside its own table when the settings of a function are read.

use std::path::Path;

use functions::Catalog;

use super::{cloud::Cloud, known::KnownFunctions, variables::Variables};

#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) variables: &'a Variables,
    pub(super) cloud: &'a Cloud,
    pub(super) catalog: &'a Catalog,
    /// The folder of the settings file. Relative paths start there.
    pub(super) folder: &'a Path,
    /// The PATH of the runner.
    pub(super) path: Option<&'a str>,
    /// The functions that are in use.
    pub(super) known: &'a KnownFunctions,
}
