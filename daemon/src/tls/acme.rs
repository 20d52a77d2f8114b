//! `tls.acme`: certificates for the public listener from an authority that issues them to programs
//! (ACME, RFC 8555).
//!
//! The authority connects to the listener itself (TLS-ALPN-01, RFC 8737), so nothing else has to
//! listen. What has been issued is kept in a folder, and a start uses it.

mod account;
mod challenges;
mod folder;
mod http;
mod names;
mod order;
mod schedule;
mod settings;

use std::{
    convert::Infallible,
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

pub(super) use self::challenges::{Challenges, PROTOCOL, asks_for_proof};
pub use self::settings::AcmeSettings;
use self::{
    folder::Folder,
    schedule::{Cause, Retries, Schedule},
};
use super::{OutboundTls, Tls, choice::Choice, files::Files, pair::Pair};
use crate::settings::{Origins, SettingsError};

/// How long an order may take, with all its requests and the connections of the authority.
const ORDER_TIMEOUT: Duration = Duration::from_mins(10);
/// How often the clock is looked at. It may be set, and a machine may sleep.
const LOOK: Duration = Duration::from_hours(1);

/// The certificate of a listener that orders it.
#[derive(Debug)]
pub(super) struct Acme {
    settings: AcmeSettings,
    folder: Folder,
    challenges: Arc<Challenges>,
}

/// Why there is no new certificate.
#[derive(Debug)]
struct Failure {
    cause: Cause,
    what: String,
}

impl Failure {
    /// The authority was not reached, and has counted nothing.
    fn unreached(what: impl Into<String>) -> Self {
        Self { cause: Cause::Unreached, what: what.into() }
    }

    /// An order that may count for the limits of the authority.
    fn refused(what: impl Into<String>) -> Self {
        Self { cause: Cause::Refused, what: what.into() }
    }
}

impl Tls {
    /// The TLS of a listener that orders its certificate. It may have none yet.
    pub(super) fn open_acme(
        settings: &AcmeSettings,
        table: &str,
        origins: &Origins,
    ) -> Result<Self, SettingsError> {
        let (acme, kept) = Acme::open(settings).map_err(|error| {
            let dir = settings.dir.display();
            let what = format!(
                "{dir} cannot be used: {error}; use a folder that belongs to the user of this process, \
                 and that nobody else may use (700)"
            );
            SettingsError(vec![origins.problem(&format!("{table}.acme.dir"), what)])
        })?;
        let choice = Choice::new(kept.into_iter().collect(), Some(Arc::clone(&acme.challenges)));
        let tls = Self::new(choice, Files::new(Vec::new(), None, table, origins.clone()), None);
        Ok(Self { acme: Some(Arc::new(acme)), ..tls })
    }
}

impl Acme {
    /// Opens the folder of the settings. Returns the certificate that is kept there, too.
    fn open(settings: &AcmeSettings) -> io::Result<(Self, Option<Pair>)> {
        let folder = Folder::open(&settings.dir, &settings.directory)?;
        let kept = folder.kept().unwrap_or_else(|problem| {
            warn!("the kept certificate cannot be used, and another one is ordered: {problem}");
            None
        });
        let challenges = Arc::new(Challenges::default());
        Ok((Self { settings: settings.clone(), folder, challenges }, kept))
    }

    /// Orders a certificate for `tls` each time that one is due. Ends only when it is dropped.
    pub(super) async fn run(&self, tls: &Tls, outbound: Option<&OutboundTls>) -> Infallible {
        let mut schedule = Schedule::default();
        let mut retries = Retries::default();
        info!("tls.acme: {}", state(tls));
        loop {
            let due = match tls.choice.pairs().first() {
                Some(pair) if self.settings.are_in(&pair.names) => schedule.due(pair.validity),
                _ => SystemTime::UNIX_EPOCH,
            };
            wait_until(due).await;
            let (names, url) = (self.settings.names(), &self.settings.directory);
            info!("a certificate for {names} is being ordered from {url}");
            match self.try_order(outbound).await {
                Ok(pair) => {
                    let (cert, validity) = (pair.cert.clone(), pair.validity);
                    retries = Retries::default();
                    schedule.issued(validity, SystemTime::now());
                    tls.replace(vec![pair]);
                    let (cert, end) = (cert.display(), validity.end());
                    info!("new handshakes use the certificate in {cert}, which expires at {end}");
                }
                Err(Failure { cause, what }) => {
                    let pause = retries.after(cause);
                    let (state, pause_shown) = (state(tls), humantime::format_duration(pause));
                    error!(
                        "no certificate for {names} was issued by {url}: {what}; {state}, and the \
                         next order is in {pause_shown}"
                    );
                    sleep(pause).await;
                }
            }
        }
    }

    async fn try_order(&self, outbound: Option<&OutboundTls>) -> Result<Pair, Failure> {
        // Boxed, because the future is large: it holds all requests of an order.
        let order = Box::pin(async {
            let account = account::open(&self.settings, &self.folder, outbound).await?;
            order::run(&account, &self.settings, &self.folder, &self.challenges).await
        });
        let late = |_| Failure::refused(format!("it took longer than {ORDER_TIMEOUT:?}"));
        timeout(ORDER_TIMEOUT, order).await.map_err(late)?
    }
}

/// The certificate in use, for the log.
fn state(tls: &Tls) -> String {
    match tls.choice.pairs().first() {
        None => "handshakes fail until the first certificate is issued".to_owned(),
        Some(pair) => format!("the certificate in use expires at {}", pair.validity.end()),
    }
}

async fn wait_until(due: SystemTime) {
    while let Ok(left) = due.duration_since(SystemTime::now()) {
        sleep(left.min(LOOK)).await;
    }
}
