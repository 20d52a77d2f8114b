//! Certificates that are exchanged while the process runs, and those that end soon.
//!
//! Connections that are open keep what they have. Files that cannot be used leave what is in use as
//! it is.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, interval};
use tracing::{error, info, warn};

use super::{
    Tls,
    client_check::ClientCheck,
    files::Contents,
    validity::{Left, Validity},
};
use crate::{
    reload::{ReloadTriggers, Trigger},
    settings::SettingsError,
};

/// The two files of a certificate are written one after the other. What cannot be used is looked at
/// again after this time.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How often it is looked at whether a certificate ends soon.
const DAY: Duration = Duration::from_hours(24);

/// What is wrong with the files, and whether it was logged.
type Problem = Option<(String, bool)>;

impl Tls {
    /// Exchanges the certificates at SIGHUP and, with `watch`, when their files change; and says
    /// each day which of them end soon. Ends only when it is dropped.
    pub async fn follow(&self, watch: bool) {
        let validities = || {
            let pairs = self.choice.pairs();
            pairs.iter().map(|pair| (pair.cert.clone(), pair.validity)).collect()
        };
        tokio::join!(
            follow_files(self.files.paths(), watch, || self.exchange()),
            say_what_ends("clients", validities),
        );
    }

    /// Uses what is in the files now, if it is new and can be used.
    fn exchange(&self) -> Result<(), SettingsError> {
        let contents = self.files.read()?;
        let is_same =
            |check: &Arc<ClientCheck>| contents.client_ca.as_ref().is_none_or(|it| check.has(it));
        let has_same_clients = self.client_check.as_ref().is_none_or(is_same);
        if self.choice.has(&contents.pairs) && has_same_clients {
            return Ok(());
        }
        self.files.check_validity(&contents, SystemTime::now())?;
        let Contents { pairs, client_ca } = contents;
        if !self.choice.has(&pairs) {
            for pair in &pairs {
                let (cert, end) = (pair.cert.display(), pair.validity.end());
                info!("new handshakes use the certificate in {cert}, which expires at {end}");
            }
            self.choice.replace(pairs);
        }
        if let (Some(check), Some(authorities), false) =
            (&self.client_check, client_ca, has_same_clients)
        {
            check.replace(authorities);
            info!("new handshakes take clients of the authorities of now");
        }
        Ok(())
    }
}

/// Calls `exchange` at SIGHUP and, with `watch`, when one of the files changes. Ends only when it
/// is dropped, or if there is no file.
pub(super) async fn follow_files(
    mut paths: Vec<PathBuf>,
    watch: bool,
    exchange: impl Fn() -> Result<(), SettingsError>,
) {
    let Some(first) = paths.pop() else { return };
    let mut triggers = match ReloadTriggers::listen(watch) {
        Ok(triggers) => paths.into_iter().fold(triggers, ReloadTriggers::beside),
        Err(error) => return error!(%error, "certificates are not exchanged without a restart"),
    };
    triggers.watch(&first, Vec::new()).await;
    let mut problem = Problem::None;
    // The files may have changed after they were read and before they were watched.
    triggers.again_at(Instant::now());
    loop {
        let trigger = triggers.next().await;
        let now = exchange().err().map(|error| error.to_string());
        problem = now.map(|now| {
            let known = problem.take().filter(|(known, _)| *known == now);
            let was_logged = known.as_ref().is_some_and(|(_, was_logged)| *was_logged);
            let is_sure = known.is_some() || trigger == Trigger::Hangup;
            if !is_sure {
                triggers.again_at(Instant::now() + SECOND_LOOK);
            } else if !was_logged || trigger == Trigger::Hangup {
                error!("the certificates stay as they are after {trigger}: {now}");
            }
            (now, is_sure)
        });
        triggers.watch_again(&first).await;
    }
}

/// Says each day which certificates end soon, of those that `validities` has with their files.
/// `peers` are those to whom they are shown.
pub(super) async fn say_what_ends(peers: &str, validities: impl Fn() -> Vec<(PathBuf, Validity)>) {
    let mut days = interval(DAY);
    loop {
        days.tick().await;
        for (cert, validity) in validities() {
            let (cert, end) = (cert.display(), validity.end());
            match validity.left(SystemTime::now()) {
                Left::Enough => {}
                Left::Little => warn!("the certificate in {cert} expires at {end}: renew it"),
                Left::Nothing => {
                    error!("the certificate in {cert} expired at {end}: {peers} refuse it");
                }
            }
        }
    }
}
