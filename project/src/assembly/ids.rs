//! The ids by which functions push to APIs.
//!
//! No document has the id of an API: it stands in the code, or in the environment of the functions.
//! An id that functions of one API name is that API's. An id that functions of several APIs name
//! reaches the connections of all of them: nobody but the cloud knows which API had it, and the ids
//! of connections are unique.

use std::collections::{BTreeMap, BTreeSet};

use super::apis::Draft;
use crate::{
    context::Context,
    note::{Place, Severity},
};

/// How many further ids an API of the gateway may have.
const PUSH_IDS_MAX: usize = 20;
/// How long an id may be.
const ID_BYTES_MAX: usize = 60;

pub(super) fn give_ids(context: &mut Context<'_>, drafts: &mut [Draft]) {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for draft in drafts.iter() {
        for id in draft.named.union(&draft.given) {
            *owners.entry(id.clone()).or_default() += 1;
        }
    }
    let mut taken: BTreeSet<String> = owners.keys().cloned().collect();
    for draft in drafts {
        let all: Vec<_> = draft.named.union(&draft.given).cloned().collect();
        let (own, shared): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| owners[id] == 1);
        let given = draft.given.iter().find(|id| own.contains(id)).cloned();
        let only = (own.len() == 1).then(|| own[0].clone());
        draft.api.id = given.or(only).unwrap_or_else(|| made(&draft.api.name, &mut taken));
        draft.api.cloud_ids = own.into_iter().filter(|id| *id != draft.api.id).collect();
        draft.api.push_ids = shared;
        say(context, draft);
    }
}

fn say(context: &mut Context<'_>, draft: &mut Draft) {
    let api = &mut draft.api;
    let mut note = |severity, place: &Place, what| context.notes.at(severity, place.clone(), what);
    if api.push_ids.len() > PUSH_IDS_MAX {
        let left = api.push_ids.split_off(PUSH_IDS_MAX);
        let what = format!(
            "{} has more than {PUSH_IDS_MAX} ids for pushes: {} are left out",
            api.name,
            left.join(", ")
        );
        note(Severity::Warning, &api.place, what);
    }
    if !api.push_ids.is_empty() {
        let what = format!(
            "{} and other paths have functions that push by {}: such a push reaches the connections \
             of all of them here",
            api.name,
            api.push_ids.join(", ")
        );
        note(Severity::Info, &api.place, what);
    }
    if !api.cloud_ids.is_empty() {
        let what = format!(
            "the functions of {} push by {}: all of them lead to it here",
            api.name,
            api.cloud_ids.join(", ")
        );
        note(Severity::Info, &api.place, what);
    }
}

/// An id of the letters of `name` that is not taken.
fn made(name: &str, taken: &mut BTreeSet<String>) -> String {
    let letters = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<_> = letters.filter(|word| !word.is_empty()).collect();
    let mut base = words.join("-").to_lowercase();
    base.truncate(ID_BYTES_MAX - 10);
    // No word of the gateway's own paths begins so.
    let base = if base.is_empty() { "api".to_owned() } else { format!("api-{base}") };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let id = std::iter::once(base.clone()).chain(numbered).find(|id| !taken.contains(id));
    let id = id.unwrap_or(base);
    taken.insert(id.clone());
    id
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::made;

    #[test]
    fn ids_are_made_of_names() {
        let mut taken = BTreeSet::new();
        for (name, expected) in [
            ("chat /pgws", "api-chat-pgws"),
            ("chat-pgws", "api-chat-pgws-2"),
            ("聊天 /", "api"),
            ("/", "api-2"),
        ] {
            assert_eq!(made(name, &mut taken), expected, "{name}");
        }
        assert!(made(&"x".repeat(300), &mut taken).len() <= 60);
    }
}
