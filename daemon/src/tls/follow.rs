//! Certificates that are exchanged while the process runs, and those that end soon.
//!
//! Connections that are open keep what they have. Files that cannot be used leave what they are for
//! as it is.

use std::{
    future::pending,
    panic::resume_unwind,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    task::{JoinError, spawn_blocking},
    time::{Instant, interval},
};
use tracing::{error, info, warn};

use super::{
    Tls,
    files::Found,
    pair::Pair,
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
/// A longer key of RSA takes much time.
const RSA_BITS: usize = 2048;

/// What is wrong with the files, and whether it was logged.
type Problem = Option<(String, bool)>;

impl Tls {
    /// Exchanges the certificates at SIGHUP and, with `watch`, when their files change; and says
    /// each day which of them end soon. Ends only when it is dropped, or at once with `tls.acme`:
    /// nobody else writes its files, and each order that fails is logged.
    pub async fn follow(&self, watch: bool) {
        if self.acme.is_some() {
            return;
        }
        let validities = || {
            let pairs = self.choice.pairs();
            pairs.iter().map(|pair| (pair.cert.clone(), pair.chain_validity)).collect()
        };
        let remedy = if self.is_dev { "start again to have a new one made" } else { "renew it" };
        tokio::join!(
            follow_files(self.files.paths(), watch, || self.exchange()),
            say_what_ends("clients", remedy, validities),
        );
    }

    /// Uses what is in the files now, if it is new and can be used. A file that cannot be used does
    /// not keep the others from being exchanged.
    pub(super) async fn exchange(&self) -> Result<(), SettingsError> {
        let files = Arc::clone(&self.files);
        let (Found { pairs: read, client_ca }, mut problems) =
            on_thread(move || files.read_each()).await;
        let now = SystemTime::now();
        let mut new = Vec::new();
        let mut pairs = self.choice.pairs().to_vec();
        for (pair, read) in pairs.iter_mut().zip(read) {
            let Some(read) = read.filter(|read| read.chain() != pair.chain()) else { continue };
            match self.files.problem_of_validity(&read, now) {
                Some(problem) => problems.push(problem),
                None => {
                    new.push(read.clone());
                    *pair = read;
                }
            }
        }
        let of_names = self.files.problems_of_names(&pairs);
        if !new.is_empty() && of_names.is_empty() {
            for pair in &new {
                let (cert, end) = (pair.cert.display(), pair.validity.end());
                info!("new handshakes use the certificate in {cert}, which expires at {end}");
                say_cost(pair);
            }
            self.replace(pairs);
        }
        problems.extend(of_names);
        if let (Some(check), Some(authorities)) = (&self.client_check, client_ca)
            && !check.has(&authorities)
        {
            match self.files.problem_of_authorities(&authorities, now) {
                Some(problem) => problems.push(problem),
                None => {
                    check.replace(authorities);
                    info!("new handshakes take clients of the authorities of now");
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
    }
}

/// Reads files on a thread of its own: a disk that hangs must not hold up connections.
pub(super) async fn on_thread<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(read).await.map_err(JoinError::try_into_panic) {
        Ok(read) => read,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime shuts down, and this task with it.
        Err(Err(_)) => pending().await,
    }
}

/// Says that handshakes with the key take long.
pub(super) fn say_cost(pair: &Pair) {
    if let Some(bits) = pair.rsa_bits.filter(|bits| *bits > RSA_BITS) {
        let cert = pair.cert.display();
        warn!(
            "the key of the certificate in {cert} is one of RSA with {bits} bits: each handshake takes \
             many times the processor time of one of ECDSA (P-256); use such a key"
        );
    }
}

/// Calls `exchange` at SIGHUP and, with `watch`, when one of the files changes. Ends only when it
/// is dropped, or if there is no file.
pub(super) async fn follow_files<F>(mut paths: Vec<PathBuf>, watch: bool, exchange: impl Fn() -> F)
where
    F: Future<Output = Result<(), SettingsError>>,
{
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
        let now = exchange().await.err().map(|error| error.to_string());
        problem = now.map(|now| {
            let known = problem.take().filter(|(known, _)| *known == now);
            let was_logged = known.as_ref().is_some_and(|(_, was_logged)| *was_logged);
            let is_sure = known.is_some() || trigger == Trigger::Hangup;
            if !is_sure {
                triggers.again_at(Instant::now() + SECOND_LOOK);
            } else if !was_logged || trigger == Trigger::Hangup {
                error!("a certificate stays as it is after {trigger}: {now}");
            }
            (now, is_sure)
        });
        let is_elsewhere = triggers.watch_again(&first).await;
        // The files that are watched now may have changed after they were read. What cannot be used
        // is looked at again anyway.
        if is_elsewhere && problem.is_none() {
            triggers.again_at(Instant::now());
        }
    }
}

/// Says each day which certificates end soon, of those that `validities` has with their files.
/// `peers` are those to whom they are shown, `remedy` is what helps.
pub(super) async fn say_what_ends(
    peers: &str,
    remedy: &str,
    validities: impl Fn() -> Vec<(PathBuf, Validity)>,
) {
    let mut days = interval(DAY);
    loop {
        days.tick().await;
        for (cert, validity) in validities() {
            let (cert, end) = (cert.display(), validity.end());
            match validity.left(SystemTime::now()) {
                Left::Enough => {}
                Left::Little => warn!("a certificate in {cert} expires at {end}: {remedy}"),
                Left::Nothing => {
                    error!(
                        "a certificate in {cert} expired at {end}, and {peers} refuse it: {remedy}"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
