//! TLS of what this process calls: the authorities that it trusts beside those of the system, and
//! the certificate that it shows.
//!
//! Both are exchanged while the process runs, when their files change. Connections that are open
//! keep what they have. No session is resumed after that.

mod files;
mod own;
mod server_check;
mod sessions;
mod settings;

use std::{sync::Arc, time::SystemTime};

use tokio_rustls::rustls::{ClientConfig, client::Resumption, crypto::aws_lc_rs::default_provider};
use tracing::info;

pub use self::settings::OutboundTlsSettings;
use self::{
    files::{Contents, OutboundFiles},
    own::OwnCertificate,
    server_check::ServerCheck,
    sessions::Sessions,
};
use super::follow::{follow_files, on_thread, say_what_ends};
use crate::settings::{Origins, SettingsError};

/// TLS of what this process calls. Clones are the same.
#[derive(Debug, Clone)]
pub struct OutboundTls {
    files: Arc<OutboundFiles>,
    servers: Arc<ServerCheck>,
    own: Arc<OwnCertificate>,
    sessions: Arc<Sessions>,
}

impl OutboundTls {
    /// Reads the files of `settings`, which are the table `table` of the document of `origins`.
    /// None if the settings say nothing, so that calls are as without them.
    pub fn open(
        settings: &OutboundTlsSettings,
        table: &str,
        origins: &Origins,
    ) -> Result<Option<Self>, SettingsError> {
        if *settings == OutboundTlsSettings::default() {
            return Ok(None);
        }
        let files = OutboundFiles::new(settings.clone(), table, origins.clone());
        let Contents { authorities, pair } = files.read(SystemTime::now())?;
        let servers = ServerCheck::new(authorities);
        let servers = Arc::new(servers.map_err(|what| files.error("ca", what))?);
        let own = Arc::new(OwnCertificate::new(pair));
        let (files, sessions) = (Arc::new(files), Arc::new(Sessions::new()));
        Ok(Some(Self { files, servers, own, sessions }))
    }

    /// What a client needs for its handshakes.
    pub fn configuration(&self) -> ClientConfig {
        let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the suites of both versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.servers) as _)
            .with_client_cert_resolver(Arc::clone(&self.own) as _);
        client.resumption = Resumption::store(Arc::clone(&self.sessions) as _);
        client
    }

    /// Exchanges what the files have at SIGHUP and, with `watch`, when they change; and says each
    /// day whether the certificate ends soon. Ends only when it is dropped.
    pub async fn follow(&self, watch: bool) {
        let following = follow_files(self.files.paths(), watch, || self.exchange());
        tokio::join!(following, say_what_ends("servers", "renew it", || self.own.validity()));
    }

    /// Uses what is in the files now, if it is new and can be used.
    async fn exchange(&self) -> Result<(), SettingsError> {
        let files = Arc::clone(&self.files);
        let read = on_thread(move || files.read(SystemTime::now())).await;
        let Contents { authorities, pair } = read?;
        if !self.servers.has(authorities.as_ref()) {
            self.sessions.end();
            self.servers.replace(authorities).map_err(|what| self.files.error("ca", what))?;
            info!("new calls trust the authorities of now");
        }
        if !self.own.is(pair.as_ref()) {
            self.sessions.end();
            self.own.replace(pair);
            info!("new calls show the certificate of now");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
