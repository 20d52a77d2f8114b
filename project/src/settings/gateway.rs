//! `gateway.toml` of a project.

use super::{
    Surroundings,
    text::{NOWHERE, Toml},
};
use crate::model::{Project, WebSocketApi};

pub(super) fn text(project: &Project, surroundings: &Surroundings) -> String {
    let mut toml = Toml::default();
    toml.comment("Made of a cloud project. A comment says from which line a value comes.");
    toml.table("[access]", NOWHERE);
    toml.text("service_file", &surroundings.data("service.token"), NOWHERE);
    toml.text("operator_file", &surroundings.data("operator.token"), NOWHERE);
    toml.table("[journal]", NOWHERE);
    toml.text("dir", &surroundings.data("journal"), NOWHERE);
    if let Some(website) = project.websites.first() {
        toml.table("[static]", NOWHERE);
        toml.text("dir", &surroundings.written(&website.folder), Some(&website.place));
    }
    if project.apis.is_empty() {
        toml.blank();
        toml.comment("The project has no path for WebSockets: add an [[api]].");
    }
    for api in &project.apis {
        add(&mut toml, api);
    }
    toml.finish()
}

fn add(toml: &mut Toml, api: &WebSocketApi) {
    toml.table("[[api]]", Some(&api.place));
    toml.text("id", &api.id, NOWHERE);
    toml.list("path", &api.paths, NOWHERE);
    if !api.push_ids.is_empty() {
        toml.list("push_ids", &api.push_ids, NOWHERE);
    }
    if let Some(register) = &api.register {
        toml.text("register", register, NOWHERE);
    }
    toml.text("transmit", &api.transmit, NOWHERE);
    if let Some(cleanup) = &api.cleanup {
        toml.text("cleanup", cleanup, NOWHERE);
    }
    toml.text("timeout", &format!("{}s", api.timeout.as_secs()), NOWHERE);
}
