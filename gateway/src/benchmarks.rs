//! Lets `benches/registry.rs` reach the registry, which others reach over sockets only. Nothing
//! else uses this.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use shared::connection_id::{ConnectionId, NODE_BYTES, RANDOM_BYTES};

use crate::{
    api::{Api, Apis},
    registry::{ConnectionInfo, Entry, Mailbox, Registry},
    settings::Settings,
};

const SETTINGS: &str = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;

/// A registry with connections that have no sockets.
#[derive(Debug)]
pub struct Crowd {
    registry: Registry,
    api: Arc<Api>,
    _entries: Vec<Entry>,
}

impl Crowd {
    /// Connections 0 to `count`.
    pub fn gather(count: usize) -> Self {
        let settings = Settings::parse(Path::new(""), SETTINGS, &Default::default())
            .expect("the settings are constant");
        let apis = Apis::new(settings.apis, settings.runner);
        let api = apis.by_id("a").expect("it is in the settings");
        let registry = Registry::default();
        let entries = (0..count).map(|number| enter(&registry, &api, id_of(number))).collect();
        Self { registry, api, _entries: entries }
    }

    /// Whether the registry has this one.
    pub fn has(&self, id: &ConnectionId) -> bool {
        self.registry.get(id).is_some()
    }

    /// One more, for a moment.
    pub fn come_and_go(&self, id: ConnectionId) {
        drop(enter(&self.registry, &self.api, id));
    }
}

fn enter(registry: &Registry, api: &Arc<Api>, id: ConnectionId) -> Entry {
    let info = ConnectionInfo::new(id, api, "/a", Ipv4Addr::LOCALHOST.into(), None);
    registry.enter(info, Arc::clone(api), Mailbox::new(1 << 20)).expect("it does not drain")
}

/// The id of connection `number`: as spread as those of a gateway, and the same in each run.
pub fn id_of(number: usize) -> ConnectionId {
    let spread = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let random: [u8; RANDOM_BYTES] = spread.to_be_bytes();
    ConnectionId::new(random, [0; NODE_BYTES])
}
