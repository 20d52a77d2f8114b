//! What the events and answers of a cloud look like. The rest of the gateway speaks of connections,
//! messages and outcomes.
//!
//! A dialect is chosen for each API. It makes the calls of functions, judges what functions answer,
//! reads pushes and answers them. It starts nothing and keeps nothing: what it must know again
//! later is in the [`ConnectionInfo`]. Only Tencent's dialect exists.
//!
//! How the WebSocket APIs of AWS, whose shapes are other ones, would fit behind these methods:
//!
//! - Many functions for one API: [`Dialect::message_call`] chooses the function of a message.
//!   Tencent has one; AWS evaluates the API's route selection expression on the message. `$connect`
//!   and `$disconnect` stand for register and cleanup, with one function each. A message without a
//!   route is answered with a frame: the method would then return a call or a [`Message`].
//! - An authorizer, whose context of up to 8 KB is in every later event: `opening` makes an
//!   `authorizer_call`, formed as [`Dialect::register_call`], before the [`ConnectionInfo`] is
//!   made. `judge_authorizer` gives bytes that the `ConnectionInfo` keeps, and only the dialect
//!   reads. Tencent's later events have no identity, so nothing is kept at present.
//! - The same context in the disconnect event: [`Dialect::cleanup_call`] takes only what the
//!   journal keeps, as a cleanup may be delivered after a restart. AWS writes the context down with
//!   [`Dialect::cleanup_info`], and reads it in `cleanup_call`.
//! - A `$connect` function that refuses with a status of its own: [`Registered::Refused`] gets one.
//! - Replies of a route: [`Dialect::reply_to_sender`], with the route's setting in place of
//!   `reply`. The frame that says that a function failed is a method beside it, with no reply from
//!   Tencent.
//! - `@connections`: the path tells the dialect. POST and DELETE are a push that sends or closes,
//!   with the id from the path and the body as the message; GET is answered from the
//!   `ConnectionInfo`. So [`Dialect::read_push`] gets the method and the path beside the body.
//!   [`Dialect::answer_push`] gives a whole HTTP response, since AWS names errors in a header.

mod handshake_request;
mod push;
mod registered;
mod tencent;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use shared::connection_id::ConnectionId;
use url::Url;

pub(crate) use self::{
    handshake_request::HandshakeRequest,
    push::{Effect, FUNCTION_HEADER, NotPushed, PUSH_TO_HEADER, PushOutcome, PushRefusal, Pushes},
    registered::Registered,
};
use crate::{
    api::{ApiConfig, Dialect},
    call::{Call, EventName, Origin},
    registry::{ConnectionInfo, End, Message},
};

impl Dialect {
    /// The dialect that answers a push to an API that does not exist. Its path, `/<id>`, is
    /// Tencent's.
    pub(crate) fn of_unknown_api() -> Self {
        Self::Tencent
    }

    /// The call that asks the register function at `url` whether a client may connect.
    pub(crate) fn register_call(
        self,
        url: &Url,
        api: &ApiConfig,
        info: &ConnectionInfo,
        request: &HandshakeRequest,
    ) -> Call {
        match self {
            Self::Tencent => {
                let origin = origin(EventName::Register, info);
                tencent::register_call(url, origin, api, info, request)
            }
        }
    }

    /// What the register function's answer means.
    pub(crate) fn judge_register(self, body: &[u8]) -> Registered {
        match self {
            Self::Tencent => tencent::judge_register(body),
        }
    }

    /// The call that hands a message of the client to a function.
    pub(crate) fn message_call(
        self,
        api: &ApiConfig,
        info: &ConnectionInfo,
        message: &Message,
    ) -> Call {
        match self {
            Self::Tencent => {
                let event = tencent::message_event(info, message);
                Call::new(&api.transmit, origin(EventName::Transmit, info), event)
            }
        }
    }

    /// What the function's answer to a message says to the message's sender, if anything.
    pub(crate) fn reply_to_sender(
        self,
        api: &ApiConfig,
        info: &ConnectionInfo,
        body: &[u8],
    ) -> Option<Message> {
        match self {
            Self::Tencent if !api.settings.reply => None,
            Self::Tencent => tencent::reply_to_sender(info, body),
        }
    }

    /// Reads the body of a push to at most `ids_max` connections.
    pub(crate) fn read_push(self, body: &[u8], ids_max: usize) -> Result<Pushes, PushRefusal> {
        match self {
            Self::Tencent => tencent::read_push(body, ids_max),
        }
    }

    /// The answer to a push.
    pub(crate) fn answer_push(self, outcome: PushOutcome) -> Response<Bytes> {
        match self {
            Self::Tencent => tencent::answer_push(outcome),
        }
    }

    /// What [`Self::cleanup_call`] has to know of the connection beside its id. The journal keeps
    /// it.
    pub(crate) fn cleanup_info(self, _info: &ConnectionInfo) -> Vec<u8> {
        match self {
            // Tencent's event has the id and the end, and nothing else.
            Self::Tencent => Vec::new(),
        }
    }

    /// The call that tells the cleanup function at `url` that a connection to the API has ended.
    /// `info` is what [`Self::cleanup_info`] wrote down.
    pub(crate) fn cleanup_call(
        self,
        url: &Url,
        api_id: Arc<str>,
        connection_id: ConnectionId,
        end: End,
        _info: &[u8],
    ) -> Call {
        let origin = Origin { event: EventName::Cleanup, api_id, connection_id };
        match self {
            Self::Tencent => Call::new(url, origin, tencent::cleanup_event(connection_id, end)),
        }
    }
}

fn origin(event: EventName, info: &ConnectionInfo) -> Origin {
    Origin { event, api_id: Arc::clone(&info.api_id), connection_id: info.id }
}
