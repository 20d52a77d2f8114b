//! Makes a project of the parts of its components, and of what the code names.

mod apis;
mod buckets;
mod guess;
mod ids;
mod named;
mod paths;

use std::collections::BTreeMap;

use self::{apis::apis, buckets::buckets, named::Named};
use crate::{
    components::Parts,
    context::Context,
    documents::Document,
    model::{APP_ID_DEFAULT, Project, REGION_DEFAULT},
    note::Severity,
};

/// Puts the parts together.
pub(crate) fn assemble(
    context: &mut Context<'_>,
    parts: Parts,
    environment: &BTreeMap<String, String>,
) -> Project {
    let named = Named::read(context.folder, &parts.functions);
    let documents = context.references.documents();
    let app_id = app_id(context, &parts, &named, documents, environment);
    let has_websites = !parts.websites.is_empty();
    let apis = apis(context, &parts, &named, has_websites);
    let region = region(context, &parts);
    let buckets = buckets(context, &parts.buckets, &named, &app_id, &region);
    if parts.websites.len() > 1 {
        for other in &parts.websites[1..] {
            let what = format!(
                "{} has pages too: {} of {} is not served, since only one folder is",
                parts.websites[0].name,
                other.folder.display(),
                other.name
            );
            context.notes.at(Severity::Warning, other.place.clone(), what);
        }
    }
    let uses_cos = named.uses_cos || !buckets.is_empty();
    if uses_cos && buckets.is_empty() {
        let what = "the code uses the object store, and no bucket is known; name the buckets in \
                    store.buckets of cos.toml, as <name>-<number of the account>";
        context.notes.general(Severity::Warning, what);
    }
    let is_empty = parts.functions.is_empty() && parts.websites.is_empty() && buckets.is_empty();
    if is_empty && !documents.is_empty() && !context.notes.has_errors() {
        context.notes.general(Severity::Error, "nothing of the project runs here");
    }
    let (functions, websites) = (parts.functions, parts.websites);
    Project { functions, apis, buckets, websites, region, app_id, uses_cos }
}

/// The first region that the project names. The others make no difference, but for what functions
/// are told.
fn region(context: &mut Context<'_>, parts: &Parts) -> String {
    let bucket = parts.buckets.iter().find_map(|bucket| bucket.region.clone());
    let Some(first) = parts.regions.first() else {
        return bucket.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    };
    for other in parts.regions.iter().filter(|other| other.text != first.text) {
        let what =
            format!("all functions are told the region {} here, not {}", first.text, other.text);
        context.notes.info(&other.spot, what);
    }
    first.text.clone()
}

/// The variable with the number of the account.
const APP_ID_VARIABLE: &str = "TENCENT_APP_ID";

/// The number of the account: of the buckets, or else of the environment, or else any.
fn app_id(
    context: &mut Context<'_>,
    parts: &Parts,
    named: &Named,
    documents: &[Document],
    environment: &BTreeMap<String, String>,
) -> String {
    let of_buckets = parts.buckets.iter().filter_map(|bucket| {
        let (_, number) = bucket.name.text.rsplit_once('-')?;
        is_app_id(number).then(|| number.to_owned())
    });
    let mut found: Vec<String> = Vec::new();
    for number in of_buckets.chain(named.app_ids.keys().cloned()) {
        // Documents of the cloud have this number in their examples, and code has copied it.
        if number != APP_ID_DEFAULT && !found.contains(&number) {
            found.push(number);
        }
    }
    if let [first, others @ ..] = &found[..] {
        if !others.is_empty() {
            let what = format!(
                "the project names several accounts: functions are told {first}, and not {}",
                others.join(", ")
            );
            context.notes.general(Severity::Warning, what);
        }
        return first.clone();
    }
    let of_files = documents.iter().find_map(|document| document.dotenv.get(APP_ID_VARIABLE));
    let variable = environment.get(APP_ID_VARIABLE).or(of_files);
    variable
        .filter(|number| is_app_id(number))
        .cloned()
        .unwrap_or_else(|| APP_ID_DEFAULT.to_owned())
}

fn is_app_id(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}
