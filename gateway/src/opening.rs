//! Opening a connection: register is called, and the handshake held until it has answered.
//!
//! One task has a connection from here to its cleanup. That task is not the task of the HTTP
//! request, so a client that leaves early cancels nothing: register ends, and cleanup follows.

pub(crate) mod handshake;
pub(crate) mod refusal;
mod register;
mod subprotocol;
mod take_over;

use std::{sync::Arc, time::Duration};

use daemon::{
    http::Body,
    serve::{ConnectionPermit, OverTls, PeerAddress},
    stream::Stream,
};
use http::{Request, Response, header};
use hyper::upgrade::OnUpgrade;
use shared::connection_id::ConnectionId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};
use tokio_util::task::TaskTracker;
use tracing::debug;
use uuid::Uuid;

use self::{
    handshake::{Acceptance, Handshake},
    refusal::Refusal,
    register::register,
    subprotocol::announced,
    take_over::take_over,
};
use crate::{
    api::{Api, OpeningPermit},
    call::FunctionClient,
    cleanup::{Cleanups, Owed},
    connection::{Connection, Ended, Expiry, ReceiveMemory},
    identity::Identification,
    registry::{ConnectionInfo, End, Entry, Mailbox, Registry},
    settings::{ConnectionSettings, PathMatch},
};

/// How long the 101 may take to be written.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens connections. All clones share the same permits, registry and tasks.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) node: [u8; 3],
    pub(crate) settings: Arc<ConnectionSettings>,
    pub(crate) functions: FunctionClient,
    pub(crate) identification: Identification,
    /// For messages that are being received.
    pub(crate) memory: ReceiveMemory,
    pub(crate) cleanups: Cleanups,
    pub(crate) registry: Registry,
    /// One permit for each connection that the gateway may hold.
    pub(crate) permits: Arc<Semaphore>,
    /// Every connection's task.
    pub(crate) tasks: TaskTracker,
    /// Streams whose connections have ended.
    pub(crate) lingering: TaskTracker,
}

/// A connection that is being opened.
struct Opening {
    entry: Entry,
    handshake: Handshake,
    upgrade: OnUpgrade,
    opening_permit: OpeningPermit,
    permit: OwnedSemaphorePermit,
    /// When the connection is to be closed, because the proof of its client expires.
    expiry: Option<Expiry>,
}

impl Connector {
    /// Answers a request for a WebSocket on a path of `api`.
    pub(crate) async fn connect<B>(
        &self,
        api: Arc<Api>,
        path: PathMatch,
        request: Request<B>,
    ) -> Response<Body> {
        let answer = match self.begin(api, path, request).await {
            // The task always answers. Should it panic, the client is answered 502.
            Ok(answer) => answer.await.unwrap_or(Err(Refusal::Faulted)),
            Err(refusal) => Err(refusal),
        };
        match answer {
            Ok(acceptance) => acceptance.response(),
            Err(refusal) => {
                let response = refusal.response();
                let status = response.status().as_u16();
                // The text is not logged: it may be the function's own.
                debug!(http.response.status_code = status, "handshake refused");
                response
            }
        }
    }

    async fn begin<B>(
        &self,
        api: Arc<Api>,
        path: PathMatch,
        mut request: Request<B>,
    ) -> Result<oneshot::Receiver<Result<Acceptance, Refusal>>, Refusal> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, no_body) = request.into_parts();
        drop(no_body);
        let peer = PeerAddress::of(&head.extensions);
        let over_tls = head.extensions.get::<OverTls>().is_some();
        let http_permit = head.extensions.get::<ConnectionPermit>().cloned();
        let mut handshake = Handshake::check(head, path)?;
        // Before anything is done for the client.
        let (uri, headers) = (&handshake.request.uri, &handshake.request.headers);
        let config = api.config();
        let client = peer.ip().to_canonical();
        self.identification.admit_page(&api, &config, client, (uri, headers), over_tls)?;
        let expiry = handshake.identify(&self.identification, &api, &config, client).await?;
        let opening_permit = api.begin_opening().ok_or(Refusal::Busy)?;
        let permit =
            Arc::clone(&self.permits).try_acquire_owned().map_err(|_| Refusal::NoCapacity)?;
        let id = ConnectionId::new(Uuid::new_v4().into_bytes(), self.node);
        let user_agent = handshake.request.headers.get(header::USER_AGENT);
        let info = ConnectionInfo::new(
            id,
            &api,
            handshake.request.uri.path(),
            client,
            user_agent.and_then(|text| text.to_str().ok()),
        );
        let mailbox = Mailbox::new(self.settings.send_queue);
        // The task is counted before the connection is in the registry, so that a drain that starts
        // in between waits for it.
        let _counted = self.tasks.token();
        let entry = self.registry.enter(info, api, mailbox).map_err(|_| Refusal::Draining)?;
        // From here on the connection is bounded by the permits. A slow register must not keep the
        // clients of other APIs from being accepted.
        if let Some(permit) = http_permit {
            permit.give_up();
        }
        let opening = Opening { entry, handshake, upgrade, opening_permit, permit, expiry };
        let (answer, answered) = oneshot::channel();
        self.tasks.spawn(self.clone().live(opening, answer));
        Ok(answered)
    }

    /// Opens the connection, runs it, and hands its end to the cleanup.
    async fn live(self, opening: Opening, answer: oneshot::Sender<Result<Acceptance, Refusal>>) {
        let Opening { entry, handshake, upgrade, opening_permit, permit, expiry } = opening;
        // Boxed, so that the memory that opening takes is given back before the connection runs.
        let opened = Box::pin(self.open(&entry, handshake, upgrade, answer)).await;
        drop(opening_permit);
        let Some((owed, early, stream)) = opened else { return };
        let connection =
            Connection::new(stream, early, entry, &self.settings, &self.memory, self.functions)
                .closed_at(expiry);
        let Ended { end, unended, linger } = connection.run().await;
        // The cleanup does not wait for the client to end its stream.
        if let Some(mut linger) = linger {
            self.lingering.spawn(async move {
                linger.run().await;
                drop(permit);
            });
        } else {
            drop(permit);
        }
        owed.end(end, unended).await;
    }

    /// Asks register, answers the handshake and takes the stream over. None when there is no
    /// connection: then its cleanup is settled, or on its way.
    async fn open(
        &self,
        entry: &Entry,
        handshake: Handshake,
        upgrade: OnUpgrade,
        answer: oneshot::Sender<Result<Acceptance, Refusal>>,
    ) -> Option<(Owed, Vec<u8>, Stream)> {
        let handle = &entry.handle;
        let Ok(owed) = self.cleanups.owe(&handle.info, Arc::clone(&handle.api)).await else {
            // The client may have left meanwhile.
            let _ = answer.send(Err(Refusal::NoJournal));
            return None;
        };
        let chosen = match register(&self.functions, handle, &handshake.request).await {
            Ok(chosen) => chosen,
            Err(failure) => {
                // The client may have left meanwhile.
                let _ = answer.send(Err(failure.refusal));
                if failure.may_have_run {
                    owed.end(End::UNREGISTERED, failure.unended).await;
                } else {
                    owed.forgive();
                }
                return None;
            }
        };
        let protocol = announced(&self.functions, handle, &handshake, chosen.as_deref());
        if let Some(name) = &protocol {
            handle.info.set_subprotocol(name);
        }
        let upgraded = async {
            answer.send(Ok(handshake.acceptance(protocol))).ok()?;
            timeout(UPGRADE_TIMEOUT, upgrade).await.ok()?.ok()
        };
        let Some(upgraded) = upgraded.await else {
            // The client has left before it had received the 101.
            owed.end(End::UNREGISTERED, None).await;
            return None;
        };
        let Some((early, stream)) = take_over(handle.info.id, upgraded).await else {
            owed.end(End::MISTAKE, None).await;
            return None;
        };
        report_opened(&handle.info);
        Some((owed, early, stream))
    }
}

fn report_opened(info: &ConnectionInfo) {
    // Not the path and the subprotocol, in which some clients send a token.
    debug!(
        connection.id = %info.id, api.id = %info.api_id, client.address = %info.source_ip,
        user_agent.original = info.user_agent.as_deref(), "connection opened",
    );
}
