//! `[[push.tokens]]`: the tokens with which programs push that are no functions of the runner.

use std::{collections::BTreeSet, path::Path};

use daemon::{
    credentials::{AccessToken, TOKEN_VALUES},
    settings::{Given, Kind, Section},
};

/// A token, and the APIs that it is for. An API may have several, so that one can replace another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushToken {
    /// `apis`: the ids of the APIs to whose connections the token pushes.
    pub apis: BTreeSet<String>,
    /// `token`, or the content of `token_file`.
    pub token: AccessToken,
}

impl PushToken {
    pub(in crate::settings) fn read_all(push: &mut Section, base: &Path) -> Vec<Self> {
        let mut tokens = push.sections("tokens");
        tokens.iter_mut().filter_map(|section| Self::read(section, base)).collect()
    }

    fn read(section: &mut Section, base: &Path) -> Option<Self> {
        // Both are read before a missing one ends this, so that all problems are reported.
        let apis = section.require("apis", &ids());
        let values = format!("a string of {TOKEN_VALUES}");
        let keys = ["token", "token_file"];
        let token = match section.read_secret_or_file(keys, base, &values, AccessToken::check) {
            Given::Sound(secret) => AccessToken::new(secret).ok(),
            Given::Unsound => None,
            Given::No => {
                section.problem("token", "is missing; set token or token_file");
                None
            }
        };
        Some(Self { apis: apis?, token: token? })
    }
}

fn ids() -> Kind<BTreeSet<String>> {
    let kind = Kind::new("a list of ids of APIs", |value| {
        let ids = value.as_array().filter(|ids| !ids.is_empty())?.iter();
        ids.map(|id| id.as_str().map(str::to_owned)).collect()
    });
    kind.such_as("[\"api-chat\"]")
}
