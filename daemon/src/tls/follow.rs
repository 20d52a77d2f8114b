//! Certificates that are exchanged while the process runs, and those that end soon.
//!
//! Connections that are open keep what they have. Files that cannot be used leave the certificates
//! in use as they are.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, interval};
use tracing::{error, info, warn};

use super::{Tls, pair::Pair, validity::Left};
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
        tokio::join!(self.follow_files(watch), self.say_what_ends());
    }

    async fn follow_files(&self, watch: bool) {
        let mut paths = self.files.paths();
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
            let exchanged = self.exchange();
            let now = exchanged.err().map(|error| error.to_string());
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

    /// Uses what is in the files now, if it is new and can be used.
    fn exchange(&self) -> Result<(), SettingsError> {
        let pairs = self.files.read()?;
        if self.choice.has(&pairs) {
            return Ok(());
        }
        self.files.check_validity(&pairs, SystemTime::now())?;
        for pair in &pairs {
            let (cert, end) = (pair.cert.display(), pair.validity.end());
            info!("new handshakes use the certificate in {cert}, which expires at {end}");
        }
        self.choice.replace(pairs);
        Ok(())
    }

    async fn say_what_ends(&self) {
        let mut days = interval(DAY);
        loop {
            days.tick().await;
            self.choice.pairs().iter().for_each(|pair| say_end(pair, SystemTime::now()));
        }
    }
}

fn say_end(pair: &Pair, now: SystemTime) {
    let (cert, end) = (pair.cert.display(), pair.validity.end());
    match pair.validity.left(now) {
        Left::Enough => {}
        Left::Little => warn!("the certificate in {cert} expires at {end}: renew it"),
        Left::Nothing => error!("the certificate in {cert} expired at {end}: clients refuse it"),
    }
}
