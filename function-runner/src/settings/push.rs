//! Where the pushes of a function go: the gateway, which is the variable `push`, and `push_to`.

use daemon::settings::{Kind, Section, http_url};
use shared::api_id::is_api_id;
use url::Url;

use super::variables::{PUSH, Variables};

/// The longest list.
const APIS_MAX: usize = 1000;

/// Where the pushes of a function go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushSettings {
    /// The gateway's internal listener, if it is known.
    pub(crate) gateway: Option<Url>,
    /// `push_to`: the APIs that the function may push to. Without it, those that name it.
    pub(crate) apis: Option<Vec<String>>,
}

impl PushSettings {
    pub(super) fn read(section: &mut Section, variables: &Variables) -> Self {
        let default = "the APIs that name the function";
        Self {
            gateway: variables.push().and_then(http_url),
            apis: section.read_derived("push_to", &ids(), default),
        }
    }

    /// Notes that the gateway is not known, although a child process is given an address to push
    /// to. Does not show the variable, which may hold a password.
    pub(super) fn check(&self, section: &Section) {
        if self.gateway.is_none() {
            let what = format!(
                "has ${{{PUSH}}}, but variables.{PUSH} is not an http:// or https:// URL; set it to \
                 the internal listener of the gateway, such as http://127.0.0.1:9001"
            );
            section.problem("environment", what);
        }
    }
}

fn ids() -> Kind<Vec<String>> {
    let kind = Kind::new("a list of ids of APIs", |value| {
        let ids = value.as_array().filter(|ids| ids.len() <= APIS_MAX)?;
        let id = |id: &str| is_api_id(id).then(|| id.to_owned());
        ids.iter().map(|value| value.as_str().and_then(id)).collect()
    });
    kind.such_as("[\"api-chat\"]")
}
