//! Who may connect to a runtime API: the processes of its own instance.
//!
//! Other functions, and other users of the machine, reach the same address. So each connection is
//! looked up in the system when it is accepted. Its socket must be open in a process of the
//! instance. If the runner may not see the files of a process, the user of the socket decides alone.

mod holder;
mod socket;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::unistd::Uid;
use tokio::{sync::watch, task::spawn_blocking};
use tracing::{debug, warn};

use self::{holder::Holds, socket::Socket};
use crate::runtime::subprocess::processes::Processes;

/// A process may open a connection and hand it to another while this one looks.
const LOOKS: usize = 2;

/// Whether the system tells whose a connection is. Found out once.
pub(in super::super) fn can_be_known() -> bool {
    static CAN_BE_KNOWN: OnceLock<bool> = OnceLock::new();
    *CAN_BE_KNOWN.get_or_init(|| socket::own_is_found().unwrap_or(false))
}

/// The rule for the connections of one runtime API.
#[derive(Debug, Clone)]
pub(super) struct Callers {
    listener: SocketAddr,
    /// Known when the child has started. Until then a connection waits.
    instance: watch::Receiver<Option<Instance>>,
    has_warned: Arc<AtomicBool>,
}

/// The processes of the instance, and the user that they run as.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) processes: Processes,
    pub(super) user: Uid,
}

impl Callers {
    pub(super) fn new(listener: SocketAddr) -> (Self, watch::Sender<Option<Instance>>) {
        let (sender, instance) = watch::channel(None);
        (Self { listener, instance, has_warned: Arc::default() }, sender)
    }

    /// Whether the connection from `peer` is served.
    pub(super) async fn admit(mut self, peer: SocketAddr) -> bool {
        if !can_be_known() {
            return true;
        }
        let known = self.instance.wait_for(Option::is_some).await;
        // An error: the instance has ended, or did not start.
        let Some(instance) = known.ok().and_then(|known| known.clone()) else { return false };
        let listener = self.listener;
        let looked = spawn_blocking(move || look(&instance, peer, listener)).await;
        match looked.map_err(io::Error::other).flatten() {
            Ok(Caller::Own) => true,
            Ok(Caller::Other(socket)) => {
                self.refused(peer, socket);
                false
            }
            Err(error) => {
                warn!(%error, client.address = %peer, "connection to a runtime API refused: its process is not known");
                false
            }
        }
    }

    /// Warns once for each instance: a stranger could fill the log.
    fn refused(&self, peer: SocketAddr, socket: Option<Socket>) {
        if self.has_warned.swap(true, Ordering::Relaxed) {
            debug!(client.address = %peer, "connection to a runtime API refused");
            return;
        }
        let user = socket.map(|socket| socket.user);
        let process = socket.and_then(|socket| holder::holder(socket.inode));
        warn!(
            client.address = %peer,
            process.user = user,
            process.id = process,
            "connection to a runtime API refused: its process does not belong to the instance"
        );
    }
}

enum Caller {
    Own,
    /// Nothing is known of a socket that its process has closed.
    Other(Option<Socket>),
}

fn look(instance: &Instance, peer: SocketAddr, listener: SocketAddr) -> io::Result<Caller> {
    let mut socket = None;
    for _ in 0..LOOKS {
        socket = socket::find(peer, listener)?;
        // One that is closed waits for no answer. What it says may come from anybody.
        let Some(found) = socket else { continue };
        match holder::hold(&instance.processes, found.inode) {
            Holds::Yes => return Ok(Caller::Own),
            Holds::Unknown if found.user == instance.user.as_raw() => return Ok(Caller::Own),
            Holds::Unknown | Holds::No => {}
        }
    }
    Ok(Caller::Other(socket))
}
