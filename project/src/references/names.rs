//! The names of documents, instances and functions, and what the cloud takes in their place.

use std::cmp::Reverse;

use super::{References, Trail, Unresolved, lookup::nowhere};
use crate::{
    documents::{Component, Document, Instance},
    yaml::Node,
};

/// The stage if the project names none, as in the cloud.
const STAGE_DEFAULT: &str = "dev";

impl References<'_> {
    /// `name`, `app`, `stage` or `org` of a document, or what the cloud takes in its place.
    pub(super) fn own_text(
        &self,
        document: &Document,
        key: &str,
        trail: &mut Trail,
    ) -> Result<String, Unresolved> {
        let written =
            |document: &Document| document.root.get(key).filter(|node| !is_empty(node)).cloned();
        // A name is that of one instance.
        let above = || self.above(document).into_iter().find_map(written).filter(|_| key != "name");
        match &written(document).or_else(above) {
            Some(node) => {
                let found = self.follow(node, trail)?;
                let what = || nowhere(key, "leads nowhere: it is no text");
                found.text().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(what)
            }
            None if key == "stage" => Ok(STAGE_DEFAULT.to_owned()),
            None if key == "app" => self.own_text(document, "name", trail),
            None => Err(Unresolved::nowhere(format!("the file has no {key}; write {key}:"))),
        }
    }

    /// The files without instances in the folders above a document, the nearest first. They say
    /// what the instances below have in common.
    fn above(&self, document: &Document) -> Vec<&Document> {
        let is_above = |other: &&Document| {
            other.instances.is_empty()
                && other.file != document.file
                && document.folder().starts_with(other.folder())
        };
        let mut above: Vec<_> = self.documents.iter().filter(is_above).collect();
        above.sort_by_key(|other| Reverse(other.folder().components().count()));
        above
    }

    /// The name by which references ask for an instance.
    pub(super) fn instance_name(
        &self,
        document: &Document,
        instance: &Instance,
        trail: &mut Trail,
    ) -> Result<String, Unresolved> {
        match &instance.key {
            Some(key) => Ok(key.clone()),
            None if instance.name.is_none() => Ok(String::new()),
            None => self.own_text(document, "name", trail),
        }
    }

    /// The name of a function in the cloud.
    pub(super) fn function_name(
        &self,
        document: &Document,
        instance: &Instance,
        trail: &mut Trail,
    ) -> Result<String, Unresolved> {
        let inputs = instance.inputs.as_ref();
        let faas = inputs.and_then(|inputs| inputs.get("faas"));
        let holders = [faas, inputs].into_iter().flatten();
        let written = holders.flat_map(|holder| {
            let keys = ["name", "functionName", "FunctionName"];
            keys.into_iter().filter_map(|key| holder.get(key))
        });
        if let Some(node) = written.into_iter().find(|node| !is_empty(node)) {
            let found = self.follow(node, trail)?;
            let what = || nowhere("name", "is no text");
            return found.text().map(str::to_owned).ok_or_else(what);
        }
        match (&instance.key, instance.component) {
            (Some(key), _) => Ok(key.clone()),
            (None, Component::Function) => self.full_name_on(document, trail),
            (None, _) => self.own_text(document, "name", trail),
        }
    }

    pub(super) fn full_name_on(
        &self,
        document: &Document,
        trail: &mut Trail,
    ) -> Result<String, Unresolved> {
        let mut own = |key| self.own_text(document, key, trail);
        Ok(format!("{}-{}-{}", own("name")?, own("stage")?, own("app")?))
    }
}

/// Whether a key is as good as not there: the cloud's templates have some without a value.
fn is_empty(node: &Node) -> bool {
    node.is_null() || node.text() == Some("")
}
