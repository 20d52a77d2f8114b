//! Makes APIs of the paths for WebSockets.

use std::{collections::BTreeSet, time::Duration};

use super::{guess::guessed, ids::give_ids, named::Named, paths::patterns};
use crate::{
    components::{Endpoint, Parts},
    context::{Context, Said},
    model::WebSocketApi,
    nearest::perhaps,
    note::Severity,
};

/// How many paths an API of the gateway may have.
const PATHS_MAX: usize = 20;

/// Paths with the same functions.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) api: WebSocketApi,
    /// The ids that stand in the documents.
    pub(super) given: BTreeSet<String>,
    /// The ids that its functions name.
    pub(super) named: BTreeSet<String>,
}

/// The APIs, with their ids for pushes.
pub(super) fn apis(
    context: &mut Context<'_>,
    parts: &Parts,
    named: &Named,
    has_pages: bool,
) -> Vec<WebSocketApi> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut taken = BTreeSet::new();
    let guessed = guessed(context, parts);
    for endpoint in parts.endpoints.iter().chain(&guessed) {
        let Some(functions) = functions(context, endpoint, parts) else { continue };
        let patterns = patterns(&endpoint.path.text, &endpoint.stage, has_pages);
        if has_pages && endpoint.path.text == "/" {
            let what = format!(
                "clients come by /{} here: the path / alone is that of the pages",
                endpoint.stage
            );
            context.notes.warning(&endpoint.path.spot, what);
        }
        let Some(patterns) = free(context, endpoint, patterns, &taken) else { continue };
        taken.extend(patterns.iter().cloned());
        add(&mut drafts, endpoint, functions, patterns, named);
    }
    give_ids(context, &mut drafts);
    drafts.into_iter().map(|draft| draft.api).collect()
}

/// The patterns that no other path has. Services of two stages may have one path: then only the
/// first has clients that come without the stage.
fn free(
    context: &mut Context<'_>,
    endpoint: &Endpoint,
    patterns: Vec<String>,
    taken: &BTreeSet<String>,
) -> Option<Vec<String>> {
    let (mut free, mut lost) = (Vec::new(), Vec::new());
    for pattern in patterns {
        let place = if taken.contains(&pattern) { &mut lost } else { &mut free };
        place.push(pattern);
    }
    let Endpoint { path, stage, .. } = endpoint;
    if free.is_empty() {
        let what = format!("the path {} is there twice; remove one", path.text);
        context.notes.error(&path.spot, what);
        return None;
    }
    if !lost.is_empty() {
        let what = format!(
            "clients of {} come with /{stage} before it: {} is the path of another service already",
            path.text,
            lost.join(" and ")
        );
        context.notes.warning(&path.spot, what);
    }
    Some(free)
}

/// The functions of a path, all of which can run.
#[derive(Debug, PartialEq, Eq)]
struct Functions {
    register: Option<String>,
    transmit: String,
    cleanup: Option<String>,
    timeout: Duration,
}

/// Paths with the same functions are one API, since the functions cannot tell its connections apart
/// when they push.
fn add(
    drafts: &mut Vec<Draft>,
    endpoint: &Endpoint,
    functions: Functions,
    patterns: Vec<String>,
    named: &Named,
) {
    let same = |draft: &&mut Draft| {
        let api = &draft.api;
        (&api.register, &api.transmit, &api.cleanup, api.timeout)
            == (&functions.register, &functions.transmit, &functions.cleanup, functions.timeout)
            && api.paths.len() + patterns.len() <= PATHS_MAX
    };
    if let Some(draft) = drafts.iter_mut().find(same) {
        draft.api.paths.extend(patterns);
        draft.given.extend(endpoint.id.clone());
        return;
    }
    let names = [&functions.register, &Some(functions.transmit.clone()), &functions.cleanup];
    let ids = names.into_iter().flatten().filter_map(|name| named.api_ids.get(name)).flatten();
    drafts.push(Draft {
        given: endpoint.id.iter().cloned().collect(),
        named: ids.cloned().collect(),
        api: WebSocketApi {
            name: endpoint.name.clone(),
            place: (&endpoint.path.spot).into(),
            id: String::new(),
            push_ids: Vec::new(),
            paths: patterns,
            register: functions.register,
            transmit: functions.transmit,
            cleanup: functions.cleanup,
            timeout: functions.timeout,
            cloud_ids: Vec::new(),
        },
    });
}

/// None if the path cannot be served. Without its register function every client would be let in,
/// so that is one of the reasons.
fn functions(context: &mut Context<'_>, endpoint: &Endpoint, parts: &Parts) -> Option<Functions> {
    let mut find = |said: &Said, role: &str, severity: Severity| {
        let found = known(said, parts);
        if let Err(why) = &found {
            let path = &endpoint.path.text;
            let then = match severity {
                Severity::Error => "the path is not served",
                Severity::Warning | Severity::Info => "it is not called",
            };
            let what = format!("the {role} function of {path}, {}, {why}: {then}", said.text);
            context.notes.add(severity, &said.spot, what);
        }
        found.ok()
    };
    let transmit = find(&endpoint.transmit, "transmit", Severity::Error);
    let register = endpoint.register.as_ref().map(|said| find(said, "register", Severity::Error));
    let cleanup = endpoint.cleanup.as_ref().map(|said| find(said, "cleanup", Severity::Warning));
    Some(Functions {
        register: match register {
            Some(found) => Some(found?),
            None => None,
        },
        transmit: transmit?,
        cleanup: cleanup.flatten(),
        timeout: endpoint.timeout,
    })
}

/// The error is why the function cannot be called.
fn known(said: &Said, parts: &Parts) -> Result<String, String> {
    let name = &said.text;
    if parts.functions.iter().any(|function| function.name == *name) {
        return Ok(name.clone());
    }
    if parts.broken.contains(name) {
        return Err("cannot run".to_owned());
    }
    let names = parts.functions.iter().map(|function| function.name.as_str());
    Err(format!("is no function of the project{}", perhaps(name, names)))
}
