//! TLS of a listener: its certificates, and the configuration of its handshakes.
//!
//! Several certificates are chosen from by the name that the client asks for (SNI). They are
//! exchanged while the process runs, when their files change: connections that are open keep what
//! they have. Whether a stream has TLS is known to `stream`, not here.

mod choice;
mod configuration;
mod dev;
mod files;
mod follow;
mod pair;
mod settings;
mod validity;

use std::{io, sync::Arc, time::SystemTime};

use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

pub use self::settings::TlsSettings;
use self::{choice::Choice, files::Files};
use crate::settings::{Origins, SettingsError};

/// How many bytes a stream holds at most for which a write was ready, and that the system has not
/// taken yet. One record has as many.
const BUFFER_BYTES: usize = 16 << 10;

/// What a listener needs for its handshakes. Clones are the same.
#[derive(Debug, Clone)]
pub struct Tls {
    configuration: Arc<ServerConfig>,
    files: Arc<Files>,
    choice: Arc<Choice>,
}

impl Tls {
    /// Reads the certificates and keys of `settings`, which are the table `table` of the document
    /// of `origins`. None if the settings ask for no TLS. The error has all problems with the
    /// files.
    pub fn open(
        settings: &TlsSettings,
        table: &str,
        origins: &Origins,
    ) -> Result<Option<Self>, SettingsError> {
        let now = SystemTime::now();
        let pairs = if settings.dev {
            vec![dev::prepare(&settings.dev_dir, now).map_err(|error| {
                let dir = settings.dev_dir.display();
                let what = format!(
                    "{dir} cannot be used: {error}; use a folder that this process may write to"
                );
                SettingsError(vec![origins.problem(&format!("{table}.dev_dir"), what)])
            })?]
        } else {
            settings.pairs()
        };
        if pairs.is_empty() {
            return Ok(None);
        }
        let files = Files::new(pairs, table, origins.clone());
        let pairs = files.read()?;
        files.check_validity(&pairs, now)?;
        let choice = Arc::new(Choice::new(pairs));
        let configuration = configuration::server(Arc::clone(&choice));
        Ok(Some(Self { configuration, files: Arc::new(files), choice }))
    }

    /// The handshake of the server on `tcp`.
    pub(crate) async fn accept(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.configuration));
        acceptor.accept_with(tcp, |session| session.set_buffer_limit(Some(BUFFER_BYTES))).await
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
