//! The buckets that the project needs.

use std::collections::BTreeMap;

use super::named::Named;
use crate::{components::NamedBucket, context::Context, model::Bucket};

/// The longest name of a bucket, with the number of the account.
const BYTES_MAX: usize = 60;

/// The buckets of documents and of code, each once.
pub(super) fn buckets(
    context: &mut Context<'_>,
    given: &[NamedBucket],
    named: &Named,
    app_id: &str,
    region: &str,
) -> Vec<Bucket> {
    let mut buckets: BTreeMap<String, Bucket> = BTreeMap::new();
    for NamedBucket { name, region: own } in given {
        let written = &name.text;
        let has_number =
            written.rsplit_once('-').is_some_and(|(_, number)| super::is_app_id(number));
        let full = if has_number { written.clone() } else { format!("{written}-{app_id}") };
        if !is_bucket_name(&full) {
            let what =
                format!("{written:?} is no name of a bucket: use small letters, digits and -");
            context.notes.error(&name.spot, what);
            continue;
        }
        let region = own.clone().unwrap_or_else(|| region.to_owned());
        let place = (&name.spot).into();
        buckets.entry(full.clone()).or_insert(Bucket { name: full, region, place });
    }
    for (name, (place, own)) in &named.buckets {
        let region = own.clone().unwrap_or_else(|| region.to_owned());
        let bucket = Bucket { name: name.clone(), region, place: place.clone() };
        if is_bucket_name(name) {
            buckets.entry(name.clone()).or_insert(bucket);
        }
    }
    buckets.into_values().collect()
}

fn is_bucket_name(name: &str) -> bool {
    let Some((given, _)) = name.rsplit_once('-') else { return false };
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= BYTES_MAX
        && !given.is_empty()
        && !given.starts_with('-')
        && !given.ends_with('-')
        && given.bytes().all(is_letter)
}
