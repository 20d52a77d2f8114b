//! `[cloud]`: where functions are told that they run, and where the cloud's host names lead.

mod places;

use std::{collections::BTreeMap, path::Path};

use daemon::settings::{Kind, Section, one_of, text};
use shared::api_id::is_api_id;
use url::Url;

pub(crate) use self::places::{NamedPlace, Outside};
use super::secret::SecretPair;

/// Where functions are told that they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// `region`.
    pub(crate) region: String,
    /// `appid`: the id of the account.
    pub(crate) appid: String,
    /// `uin`: the id of the user.
    pub(crate) uin: String,
    /// Where the cloud's host names lead. None if the settings have no `[cloud]`: then nothing is
    /// done about them.
    pub(crate) names: Option<CloudNames>,
    /// `[cloud.role]`: the pair of functions with a role. Without one it follows from the token of
    /// the services.
    pub(crate) role: Option<SecretPair>,
}

/// Where the cloud's host names lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloudNames {
    /// `cos`: the object store.
    pub(crate) cos: Option<Url>,
    /// `gateway`: the public listener of the gateway.
    pub(crate) gateway: Option<Url>,
    /// `apis`: the ids of APIs in the cloud, and ours.
    pub(crate) apis: BTreeMap<String, String>,
    /// `names`: names with a place of their own, in lower case.
    pub(crate) names: BTreeMap<String, NamedPlace>,
    /// `outside`: what becomes of all other names.
    pub(crate) outside: Outside,
}

/// Servers of the process that the runner is a part of.
#[derive(Debug, Clone, Default)]
pub struct OwnServers {
    /// The public listener of the gateway.
    pub gateway: Option<Url>,
    /// The object store.
    pub cos: Option<Url>,
}

impl Cloud {
    /// Takes `[cloud]`. Relative paths start at `folder`.
    pub(super) fn read(root: &mut Section, folder: &Path) -> Self {
        let is_set = root.has("cloud");
        let mut section = root.section("cloud");
        let mut read = |key, default| section.read_or(key, &text(), default);
        let (region, appid, uin) = (read("region", "local"), read("appid", "0"), read("uin", "0"));
        let names = CloudNames::read(&mut section);
        let role = SecretPair::read(&mut section.section("role"), folder);
        Self { region, appid, uin, names: is_set.then_some(names), role }
    }

    /// Has names lead to `own`, if they lead anywhere and the settings have no other servers.
    pub(super) fn complete(&mut self, own: &OwnServers) {
        if let Some(names) = &mut self.names {
            names.gateway = names.gateway.take().or_else(|| own.gateway.clone());
            names.cos = names.cos.take().or_else(|| own.cos.clone());
        }
    }
}

impl CloudNames {
    fn read(section: &mut Section) -> Self {
        let api = Kind::new("the id of an API", |value| {
            value.as_str().filter(|id| is_api_id(id)).map(str::to_owned)
        });
        let names = section.entries("names", &places::named()).into_iter();
        let lower = |(name, place): (String, NamedPlace)| (name.to_ascii_lowercase(), place);
        let words = [("pass", Outside::Pass), ("refuse", Outside::Refuse)];
        Self {
            cos: section.read_derived(
                "cos",
                &places::base_url(),
                "none; in longhold its own object store",
            ),
            gateway: section.read_derived(
                "gateway",
                &places::base_url(),
                "none; in longhold its own public listener",
            ),
            apis: section.entries("apis", &api).into_iter().collect(),
            names: names.map(lower).collect(),
            outside: section.read_or("outside", &one_of(words), "pass"),
        }
    }
}
