//! What is known of one connection from its handshake on.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use shared::connection_id::ConnectionId;

use crate::api::Api;

/// Longer texts of the client are cut, because they stay in memory as long as the connection is
/// open.
const TEXT_BYTES_MAX: usize = 256;

/// What is known of one connection. Made once, at the handshake.
#[derive(Debug)]
pub(crate) struct ConnectionInfo {
    pub(crate) id: ConnectionId,
    /// The id of its API.
    pub(crate) api_id: Arc<str>,
    /// The path that the client asked for, without the rest of a very long one. Shared with the API
    /// where it is the configured path.
    #[cfg_attr(not(test), expect(dead_code, reason = "Tencent's later events do not have it"))]
    pub(crate) path: Arc<str>,
    /// When the client asked for the connection.
    pub(crate) opened_at: SystemTime,
    /// The client's address.
    pub(crate) source_ip: IpAddr,
    pub(crate) user_agent: Option<Box<str>>,
    subprotocol: OnceLock<Box<str>>,
}

impl ConnectionInfo {
    /// A connection to `api` that a client asks for now, on this path.
    pub(crate) fn new(
        id: ConnectionId,
        api: &Api,
        path: &str,
        source_ip: IpAddr,
        user_agent: Option<&str>,
    ) -> Self {
        let config = api.config();
        let configured = config.paths.iter().find(|configured| ***configured == *path);
        let path = configured.map_or_else(|| cut(path, TEXT_BYTES_MAX).into(), Arc::clone);
        Self {
            id,
            api_id: api.shared_id(),
            path,
            opened_at: SystemTime::now(),
            source_ip: source_ip.to_canonical(),
            user_agent: user_agent.map(|text| cut(text, TEXT_BYTES_MAX).into()),
            subprotocol: OnceLock::new(),
        }
    }

    /// The subprotocol in the 101. None before the 101, and for a client that got none.
    #[cfg_attr(not(test), expect(dead_code, reason = "Tencent's later events do not have it"))]
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.get().map(|name| &**name)
    }

    /// Notes the subprotocol for the 101. It is known when register has answered.
    pub(crate) fn set_subprotocol(&self, name: &str) {
        // The first name is the one that the client got.
        let _ = self.subprotocol.set(cut(name, TEXT_BYTES_MAX).into());
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, path::Path};

    use super::*;
    use crate::{api::Apis, settings::Settings};

    const SETTINGS: &str = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;

    fn info(path: &str, source_ip: IpAddr, user_agent: Option<&str>) -> (Arc<Api>, ConnectionInfo) {
        let settings = Settings::parse(Path::new(""), SETTINGS, &Default::default()).unwrap();
        let apis = Apis::new(settings.apis, settings.runner);
        let api = apis.by_id("a").unwrap();
        let id = ConnectionId::from_bytes([7; 19]);
        let info = ConnectionInfo::new(id, &api, path, source_ip, user_agent);
        (api, info)
    }

    #[test]
    fn the_configured_path_and_the_api_id_take_no_memory_of_each_connection() {
        let (api, usual) = info("/a", Ipv6Addr::LOCALHOST.into(), None);
        assert!(Arc::ptr_eq(&usual.path, &api.config().paths[0]));
        assert!(Arc::ptr_eq(&usual.api_id, &api.shared_id()));
        let (_, other) = info("/a/b", Ipv6Addr::LOCALHOST.into(), None);
        assert_eq!(&*other.path, "/a/b");
    }

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        let long = format!("{}é", "a".repeat(TEXT_BYTES_MAX - 1));
        let (_, info) = info("/a", Ipv6Addr::LOCALHOST.into(), Some(&long));
        assert_eq!(info.user_agent.as_deref(), Some(&long[..TEXT_BYTES_MAX - 1]));
    }

    #[test]
    fn an_ipv4_client_of_an_ipv6_listener_has_its_ipv4_address() {
        let (_, info) = info("/a", "::ffff:192.0.2.1".parse().unwrap(), None);
        assert_eq!(info.source_ip.to_string(), "192.0.2.1");
    }

    #[test]
    fn the_subprotocol_is_known_once_the_client_is_told_one() {
        let (_, info) = info("/a", Ipv6Addr::LOCALHOST.into(), None);
        assert_eq!(info.subprotocol(), None);
        info.set_subprotocol("chat");
        assert_eq!(info.subprotocol(), Some("chat"));
    }

    /// 15 000 idle connections have this 15 000 times.
    #[test]
    fn a_connection_info_is_small() {
        assert!(size_of::<ConnectionInfo>() <= 128, "{}", size_of::<ConnectionInfo>());
    }
}
