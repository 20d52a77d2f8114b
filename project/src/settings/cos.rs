//! `cos.toml` of a project.

use super::{
    Surroundings,
    text::{NOWHERE, Toml, quoted},
};
use crate::model::Project;

pub(super) fn text(project: &Project, surroundings: &Surroundings) -> String {
    let mut toml = Toml::default();
    toml.comment("Made of a cloud project. A comment says from which line a value comes.");
    toml.comment(
        "No signature is checked: functions may sign with pairs of the cloud. To check them, add\n\
         [[credentials]] with the pairs.",
    );
    toml.table("[store]", NOWHERE);
    toml.text("dir", &surroundings.data("cos"), NOWHERE);
    let region = project.buckets.first().map_or(&project.region, |bucket| &bucket.region);
    toml.text("region", region, NOWHERE);
    let buckets = project.buckets.iter();
    let lines: Vec<_> = buckets.map(|bucket| (quoted(&bucket.name), &bucket.place)).collect();
    toml.lines("buckets", &lines);
    toml.finish()
}
