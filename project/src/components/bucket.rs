//! `component: cos`: a bucket.

use super::Parts;
use crate::{
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
        Said,
    },
    documents::Instance,
    yaml::Node,
};

/// A bucket as a document names it: perhaps without the number of the account.
#[derive(Debug)]
pub(crate) struct NamedBucket {
    pub(crate) name: Said,
    pub(crate) region: Option<String>,
}

const KEYS: &[Key] = &[
    ("bucket", Fine),
    ("bucketName", Fine),
    ("region", Fine),
    ("protocol", Fine),
    ("replace", Fine),
    ("tags", Fine),
    ("force", Fine),
    ("targetDir", Fine),
    ("websiteConfig", Fine),
    ("src", Missed("its files are not put into the bucket here")),
    ("website", Missed("pages of a bucket are not served here; use component: website")),
    (
        "acl",
        Idle("everybody on this machine may use all buckets here, unless cos.toml has credentials"),
    ),
    (
        "policy",
        Idle("everybody on this machine may use all buckets here, unless cos.toml has credentials"),
    ),
    ("cors", Idle("pages reach the object store by internal_origins of cos.toml")),
    ("lifecycle", Missed("objects are kept here until somebody deletes them")),
];

pub(super) fn read(
    context: &mut Context<'_>,
    inputs: &Node,
    instance: &Instance,
    parts: &mut Parts,
) {
    context.check_keys(inputs, KEYS, "the component cos");
    let region = context.text(inputs, "region");
    let name = ["bucket", "bucketName"].iter().find_map(|key| context.text(inputs, key));
    match name {
        Some(name) => {
            parts.buckets.push(NamedBucket { name, region: region.map(|region| region.text) });
        }
        None => context.notes.error(&instance.spot, "the bucket has no name; write bucket:"),
    }
}
