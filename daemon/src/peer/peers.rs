//! The users of this machine that a client sends to.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Once},
    time::Duration,
};

use nix::unistd::Uid;
use tokio::time::Instant;
use tracing::warn;

use super::{
    PeerLayer, can_be_known,
    owner::{Owner, owner},
    refused::Refused,
};
use crate::telemetry::LineTurns;

/// The pause between two lines about one address.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// The users of this machine whose listeners get what a client sends: the user of this process,
/// root, and others that were named. Clones are the same.
#[derive(Debug, Clone)]
pub struct Peers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    users: BTreeSet<u32>,
    lines: LineTurns<SocketAddr>,
}

impl Peers {
    /// Trusts `users` besides.
    pub fn new(users: &[Uid]) -> Self {
        let own = [Uid::effective(), Uid::from_raw(0)];
        let users = users.iter().chain(&own).map(|user| user.as_raw()).collect();
        Self(Arc::new(Inner { users, lines: LineTurns::new(LINE_PAUSE) }))
    }

    /// The check of each new connection, for `http`.
    pub fn layer(&self) -> PeerLayer {
        PeerLayer::new(self.clone())
    }

    /// Warns, once in a process, if the system does not tell whose a connection is.
    pub fn announce(&self) {
        static ONCE: Once = Once::new();
        // An error passes: then each connection is refused until there is an answer.
        if can_be_known().unwrap_or(true) {
            return;
        }
        ONCE.call_once(|| {
            warn!(
                "the system does not tell whose a connection is: while the other service is away, a \
                 program of another user that listens at its address on this machine gets the token \
                 of the services and events; use https:// between the services"
            );
        });
    }

    /// Whether something may be sent on the new connection from `local` to `remote`. Asks the
    /// kernel, which takes some microseconds.
    pub(super) fn check(&self, remote: SocketAddr, local: SocketAddr) -> Result<(), Refused> {
        let unknown = |source| Refused::Unknown { address: remote, source };
        if !can_be_known().map_err(unknown)? {
            return Ok(());
        }
        match owner(remote, local).map_err(unknown)? {
            Owner::Elsewhere => Ok(()),
            Owner::User(user) if self.0.users.contains(&user) => Ok(()),
            Owner::User(user) => {
                self.warn(remote, user);
                Err(Refused::Untrusted { address: remote, user })
            }
            Owner::Closed => Err(Refused::Closed(remote)),
        }
    }

    fn warn(&self, address: SocketAddr, user: u32) {
        let Some(left_out) = self.0.lines.turn(&address, Instant::now()) else { return };
        warn!(
            server.address = %address,
            process.user = user,
            left_out,
            "nothing is sent to this address: a process of another user has it; end that process, \
             or name its user in access.service_users if it is the other service"
        );
    }
}

/// Trusts the user of this process and root.
impl Default for Peers {
    fn default() -> Self {
        Self::new(&[])
    }
}
