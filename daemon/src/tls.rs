//! TLS of a listener: its certificates, whose clients it takes, and the configuration of its
//! handshakes. TLS of what the process calls is in `outbound`.
//!
//! Several certificates are chosen from by the name that the client asks for (SNI). They are
//! exchanged while the process runs, when their files change: connections that are open keep what
//! they have. Whether a stream has TLS is known to `stream`, not here.

mod acme;
mod authorities;
mod choice;
mod client_check;
mod configuration;
mod dev;
mod files;
mod follow;
mod on_demand;
mod outbound;
mod own_files;
mod pair;
mod settings;
mod turns;
mod validity;

use std::{
    convert::Infallible,
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{Error, ServerConfig, ServerConnection},
    server::TlsStream,
};
use tracing::{debug, warn};

use self::{
    acme::Acme, choice::Choice, client_check::ClientCheck, files::Files, pair::Pair, turns::TURNS,
};
pub use self::{
    acme::AcmeSettings,
    on_demand::TlsOnDemand,
    outbound::{OutboundTls, OutboundTlsSettings},
    settings::TlsSettings,
};
use crate::{
    settings::{Origins, SettingsError},
    telemetry::LineTurns,
};

/// How many bytes a stream holds at most for which a write was ready, and that the system has not
/// taken yet. One record has as many.
const BUFFER_BYTES: usize = 16 << 10;

/// The pause between two lines that say that a client has shown no certificate, or a wrong one.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// What a listener needs for its handshakes. Clones are the same.
#[derive(Debug, Clone)]
pub struct Tls {
    configuration: Arc<RwLock<Arc<ServerConfig>>>,
    files: Arc<Files>,
    choice: Arc<Choice>,
    client_check: Option<Arc<ClientCheck>>,
    lines: Arc<LineTurns<Uncertified>>,
    /// Whether the certificate is one that `tls.dev` makes.
    is_dev: bool,
    acme: Option<Arc<Acme>>,
}

/// Why a client was refused that had to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Uncertified {
    #[error("a client without a certificate was refused")]
    Nothing,
    #[error("a client with a certificate that is not good here was refused")]
    Wrong,
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
        if let Some(acme) = &settings.acme {
            return Self::open_acme(acme, table, origins).map(Some);
        }
        let now = SystemTime::now();
        let pairs = if settings.dev {
            vec![dev::prepare(&settings.dev_dir, now).map_err(|error| {
                let dir = settings.dev_dir.display();
                let what = format!(
                    "{dir} cannot be used: {error}; use a folder that belongs to the user of this \
                     process, and to which nobody else may write"
                );
                SettingsError(vec![origins.problem(&format!("{table}.dev_dir"), what)])
            })?]
        } else {
            settings.pairs()
        };
        if pairs.is_empty() {
            return Ok(None);
        }
        let files = Files::new(pairs, settings.client_ca.clone(), table, origins.clone());
        let contents = files.read()?;
        files.check_validity(&contents, now)?;
        let choice = Choice::new(contents.pairs, None);
        let client_check = contents.client_ca.map(|ca| Arc::new(ClientCheck::new(ca)));
        choice.pairs().iter().for_each(follow::say_cost);
        let tls = Self::new(choice, files, client_check);
        Ok(Some(Self { is_dev: settings.dev, ..tls }))
    }

    fn new(choice: Choice, files: Files, client_check: Option<Arc<ClientCheck>>) -> Self {
        let choice = Arc::new(choice);
        let configuration = configuration::server(Arc::clone(&choice), client_check.clone());
        Self {
            configuration: Arc::new(RwLock::new(configuration)),
            files: Arc::new(files),
            choice,
            client_check,
            lines: Arc::new(LineTurns::new(LINE_PAUSE)),
            is_dev: false,
            acme: None,
        }
    }

    /// Orders the certificate of `tls.acme` each time that one is due. `outbound` has the
    /// authorities that are trusted beside those of the system. Ends only when it is dropped, or at
    /// once if the settings have no `tls.acme`.
    pub async fn order(&self, outbound: Option<&OutboundTls>) {
        if let Some(acme) = &self.acme {
            match acme.run(self, outbound).await {}
        }
    }

    /// Uses `pairs` from the next handshake on. Sessions of before cannot be resumed: their clients
    /// have not seen these certificates.
    fn replace(&self, pairs: Vec<Pair>) {
        self.choice.replace(pairs);
        let new = configuration::server(Arc::clone(&self.choice), self.client_check.clone());
        *self.configuration.write().expect("nothing panics with the lock held") = new;
    }

    /// Follows the files of `tls`, if there is one, until `work` has ended.
    pub async fn following<T>(tls: Option<&Self>, watch: bool, work: impl Future<Output = T>) -> T {
        let following = async {
            if let Some(tls) = tls {
                tls.follow(watch).await;
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            ended = work => ended,
            never = following => match never {},
        }
    }

    /// Whether clients have to show a certificate.
    pub(crate) fn wants_certificates(&self) -> bool {
        self.client_check.is_some()
    }

    /// Logs that a client was refused for `why`. `error` is what its handshake has ended with.
    pub(crate) fn log_uncertified(
        &self,
        client: SocketAddr,
        why: Uncertified,
        error: Option<&io::Error>,
    ) {
        let reason = error.map(tracing::field::display);
        match self.lines.turn(&why, Instant::now()) {
            Some(left_out) => warn!(client.address = %client, reason, left_out, "{why}"),
            None => debug!(client.address = %client, reason, "{why}"),
        }
    }

    /// Whether a handshake has ended with `error` because of the client's certificate.
    pub(crate) fn is_of_certificate(&self, error: &io::Error) -> bool {
        let error = error.get_ref().and_then(|error| error.downcast_ref());
        self.wants_certificates() && matches!(error, Some(Error::InvalidCertificate(_)))
    }

    /// The handshake of the server on `tcp`.
    pub(crate) async fn accept(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let configuration =
            Arc::clone(&self.configuration.read().expect("nothing panics with the lock held"));
        let acceptor = TlsAcceptor::from(configuration);
        let limit = |session: &mut ServerConnection| session.set_buffer_limit(Some(BUFFER_BYTES));
        let mut stream = TURNS.run(acceptor.accept_with(tcp, limit)).await?;
        if stream.get_ref().1.alpn_protocol() == Some(acme::PROTOCOL) {
            // Nothing may be sent over it (RFC 8737, section 3).
            stream.shutdown().await?;
            return Err(io::Error::other(
                "this was a check of the name by the authority (tls.acme)",
            ));
        }
        Ok(stream)
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
