//! Which connections there are, and how to reach each.

mod end;
mod frame;
mod info;
mod mailbox;
mod message;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use shared::connection_id::ConnectionId;

pub(crate) use self::{
    end::{End, EndReason},
    frame::Frame,
    info::ConnectionInfo,
    mailbox::{Delivery, Mailbox, NotOffered, Offered, Overflow, Receipt, Requests, Terms},
    message::Message,
};
use crate::api::Api;

/// The connections of this gateway; all clones are one registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<ConnectionId, Arc<Handle>>,
    draining: bool,
}

/// How to reach one connection.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) info: ConnectionInfo,
    pub(crate) api: Arc<Api>,
    pub(crate) mailbox: Mailbox,
    /// The API's `max_message` when the connection was opened: its socket is made for that.
    pub(crate) message_bytes_max: usize,
}

impl Handle {
    /// The largest message to the client: what the API allows now, and the socket can take.
    pub(crate) fn message_bytes_max(&self) -> usize {
        self.message_bytes_max.min(self.api.config().settings.max_message)
    }
}

/// The entry of a connection. Dropping it takes the connection out of the registry, and shuts its
/// mailbox.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) handle: Arc<Handle>,
    pub(crate) registry: Registry,
}

/// The gateway drains, so it takes no more connections.
#[derive(Debug)]
pub(crate) struct Draining;

impl Registry {
    /// Takes a connection in.
    pub(crate) fn enter(
        &self,
        info: ConnectionInfo,
        api: Arc<Api>,
        mailbox: Mailbox,
    ) -> Result<Entry, Draining> {
        let message_bytes_max = api.config().settings.max_message;
        let handle = Arc::new(Handle { info, api, mailbox, message_bytes_max });
        let mut state = self.lock();
        if state.draining {
            return Err(Draining);
        }
        state.connections.insert(handle.info.id, Arc::clone(&handle));
        drop(state);
        Ok(Entry { handle, registry: self.clone() })
    }

    /// How to reach a connection.
    pub(crate) fn get(&self, id: &ConnectionId) -> Option<Arc<Handle>> {
        self.lock().connections.get(id).cloned()
    }

    /// Takes no more connections from now on. Gives all that there are.
    pub(crate) fn drain(&self) -> Vec<Arc<Handle>> {
        let mut state = self.lock();
        state.draining = true;
        state.connections.values().cloned().collect()
    }

    /// The time for forwarding is over: messages of clients are not forwarded any more, so that
    /// there is time to close the connections and to clean up.
    pub(crate) fn cut(&self) {
        let handles: Vec<_> = self.lock().connections.values().cloned().collect();
        for handle in handles {
            handle.mailbox.cut();
        }
    }

    /// Whether the gateway drains and its last connection has left.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.draining && state.connections.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.lock().connections.remove(&self.handle.info.id);
        self.handle.mailbox.shut();
    }
}
