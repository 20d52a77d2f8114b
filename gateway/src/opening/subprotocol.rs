//! Which subprotocol the client is told: register's choice, or one of the settings.

use tracing::warn;

use super::handshake::{Handshake, entries};
use crate::{call::FunctionClient, registry::Handle};

/// The subprotocol to announce. If the client offers some and none is announced, the log says so
/// once: RFC 6455 allows that, but many clients fail the connection, after register has run.
pub(super) fn announced(
    functions: &FunctionClient,
    handle: &Handle,
    handshake: &Handshake,
    chosen: Option<&str>,
) -> Option<String> {
    let config = handle.api.config();
    let announced = choose(handshake, chosen, &config.settings.subprotocols);
    let gets_none = announced.is_none() && handshake.offered().next().is_some();
    if gets_none && handle.api.is_first_without_subprotocol() {
        let (id, api) = (handle.info.id, handle.api.id());
        let function = config.register.as_ref().and_then(|url| functions.name_of(url));
        // Not what was offered: some clients send a token there.
        warn!(
            connection.id = %id, api.id = api, function.name = function,
            "clients of {api} offer subprotocols and get none: many fail the connection then. \
             Set subprotocols of the api, or have register answer with secWebSocketProtocol",
        );
    }
    announced
}

/// What register chose: one value, or the whole offered list, of which the first entry is taken. A
/// value that the client did not offer is never announced, as the client would have to fail the
/// connection. If register chose none, the first offer that is in the settings.
fn choose(handshake: &Handshake, chosen: Option<&str>, settings: &[String]) -> Option<String> {
    let first = chosen.and_then(|chosen| entries(chosen).next());
    let by_register = first.and_then(|first| handshake.offered().find(|offer| *offer == first));
    let by_settings =
        || handshake.offered().find(|offer| settings.iter().any(|name| name == offer));
    by_register.or_else(by_settings).map(str::to_owned)
}
