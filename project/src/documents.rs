//! The documents of a project, and the instances of components that they have.

mod component;
mod dotenv;
mod instance;
mod load;
#[cfg(test)]
pub(crate) mod testing;

use std::{collections::BTreeMap, path::Path, sync::Arc};

pub(crate) use self::{component::Component, instance::Instance, load::load};
use crate::yaml::Node;

/// A file that describes a part of the project.
#[derive(Debug)]
pub(crate) struct Document {
    /// Relative to the folder of the project.
    pub(crate) file: Arc<Path>,
    pub(crate) root: Node,
    /// Whether the instances have keys of their own, by which references can name them.
    pub(crate) is_map: bool,
    pub(crate) instances: Vec<Instance>,
    /// What the `.env` files beside it say.
    pub(crate) dotenv: BTreeMap<String, String>,
}

impl Document {
    /// The folder of the file, relative to that of the project.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }
}
