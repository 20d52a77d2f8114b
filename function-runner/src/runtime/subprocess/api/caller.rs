//! Who may connect to a runtime API: the processes of its own instance.
//!
//! Other functions, and other users of the machine, reach the same address. So each connection is
//! looked up in the system when it is accepted. Its socket must be open in a process of the
//! instance. If the runner may not see the files of a process, the user of the socket decides
//! alone.

mod holder;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
};

use daemon::peer::{self, Socket, connected};
use nix::unistd::Uid;
use tokio::{sync::watch, task::spawn_blocking};
use tracing::{debug, warn};

use self::holder::Holds;
use crate::runtime::subprocess::processes::Processes;

/// A process may open a connection and hand it to another while this one looks.
const LOOKS: usize = 2;

/// Whether the system tells whose a connection is. Logged once if it does not. An error is one that
/// passes: then this can be asked again.
pub(in super::super) fn can_be_known() -> io::Result<bool> {
    static ONCE: Once = Once::new();
    let known = peer::can_be_known()?;
    if !known {
        ONCE.call_once(|| {
            warn!(
                "the system does not tell whose a connection is: other functions can use the runtime \
                 API of an instance with runtime \"custom\""
            );
        });
    }
    Ok(known)
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
        match can_be_known() {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => return self.refused_for(&error, peer),
        }
        let known = self.instance.wait_for(Option::is_some).await;
        // An error: the instance has ended, or did not start.
        let Some(instance) = known.ok().and_then(|known| known.clone()) else { return false };
        let callers = self.clone();
        // Blocking: the files of many processes may be looked at.
        let looked = spawn_blocking(move || {
            let caller = look(&instance, peer, callers.listener)?;
            if let Caller::Other(socket) = caller {
                callers.refused(peer, socket);
                return Ok(false);
            }
            Ok(true)
        });
        match looked.await.map_err(io::Error::other).flatten() {
            Ok(is_own) => is_own,
            Err(error) => self.refused_for(&error, peer),
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

    /// The same for a connection of which nothing is known.
    fn refused_for(&self, error: &io::Error, peer: SocketAddr) -> bool {
        if self.has_warned.swap(true, Ordering::Relaxed) {
            debug!(%error, client.address = %peer, "connection to a runtime API refused");
            return false;
        }
        warn!(
            %error,
            client.address = %peer,
            "connection to a runtime API refused: its process is not known"
        );
        false
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
        socket = connected(peer, listener)?;
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
