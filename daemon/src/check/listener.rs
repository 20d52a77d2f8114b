//! Where the listener is that a health check asks, by the settings of the process.

use std::{net::SocketAddr, path::Path};

use super::Transport;
use crate::{
    settings::{Document, SettingsError, address},
    tls::TlsSettings,
};

/// Reads where the internal listener is (`default` if the file does not say it) and what it speaks.
/// Problems of other settings are no errors here: the process may run with those of before.
pub fn internal_listener(
    document: Document,
    default: &str,
) -> Result<(SocketAddr, Transport), SettingsError> {
    document.read(|root| {
        let mut listen = root.section("listen");
        let internal = listen.read_or("internal", &address(), default);
        let tls = TlsSettings::read_internal(&mut root.section("internal_tls"), Path::new(""));
        listen.leave_rest();
        root.leave_rest();
        Some((internal, Transport::of(&tls)))
    })
}
