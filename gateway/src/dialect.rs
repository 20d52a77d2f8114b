//! What the events and answers of a cloud look like. The rest of the gateway speaks of connections,
//! messages and outcomes.
//!
//! A dialect is chosen for each API. It makes the calls of functions, judges what functions answer,
//! reads pushes and answers them. It starts nothing and keeps nothing: what it must know again later
//! is in the [`ConnectionInfo`]. Only Tencent's dialect exists.
//!
//! How the WebSocket APIs of AWS, with other shapes, would fit behind these methods:
//!
//! - Many functions for one API: [`Dialect::message_call`] chooses the function. Tencent has one;
//!   AWS evaluates the API's route selection expression on the message. `$connect` and
//!   `$disconnect` are the one function each for register and cleanup. A message without a route
//!   is answered with a frame: then the method returns a call or a [`Message`].
//! - An authorizer, whose context of up to 8 KB is in every later event: it is called before the
//!   `ConnectionInfo` is made, with an `authorizer_call` of the same form as
//!   [`Dialect::register_call`], and `judge_authorizer` gives the bytes of
//!   [`ConnectionInfo::identity`]. No other part of the gateway reads them.
//! - The same context in the disconnect event: [`Dialect::cleanup_call`] takes only what the journal
//!   keeps, as a cleanup may be delivered after a restart. AWS needs one more column in the
//!   journal, for bytes that the dialect makes of the `ConnectionInfo` and reads again.
//! - `$connect` that refuses with a status of its own: [`Registered::Refused`] gets the status.
//! - Replies of a route: [`Dialect::reply_to_sender`], with the route's setting in place of `reply`.
//! - `@connections`: the path shows the dialect. POST and DELETE become a push that sends or
//!   closes, with the id from the path and the body as the message. GET is answered from the
//!   `ConnectionInfo`. The answer is a whole HTTP response, since AWS tells errors in a header.

mod handshake_request;
mod push;
mod registered;
mod tencent;

use bytes::Bytes;
use http::Response;
use shared::connection_id::ConnectionId;
use url::Url;

pub(crate) use self::{
    handshake_request::HandshakeRequest,
    push::{Effect, NotPushed, PushOutcome, PushRefusal, Pushes},
    registered::Registered,
};
use crate::{
    api::{ApiConfig, Dialect},
    call::Call,
    registry::{ConnectionInfo, End, Message},
};

impl Dialect {
    /// The call that asks the register function at `url` whether a client may connect.
    pub(crate) fn register_call(
        self,
        url: &Url,
        api: &ApiConfig,
        info: &ConnectionInfo,
        request: &HandshakeRequest,
    ) -> Call {
        match self {
            Self::Tencent => tencent::register_call(url, api, info, request),
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
            Self::Tencent => Call::new(&api.transmit, tencent::message_event(info, message)),
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
            Self::Tencent => api.settings.reply.then(|| tencent::reply_to_sender(info, body))?,
        }
    }

    /// Reads the body of a push.
    pub(crate) fn read_push(self, body: &[u8]) -> Result<Pushes, PushRefusal> {
        match self {
            Self::Tencent => tencent::read_push(body),
        }
    }

    /// The answer to a push.
    pub(crate) fn answer_push(self, outcome: PushOutcome) -> Response<Bytes> {
        match self {
            Self::Tencent => tencent::answer_push(outcome),
        }
    }

    /// The call that tells the cleanup function at `url` that a connection has ended.
    pub(crate) fn cleanup_call(self, url: &Url, id: ConnectionId, end: End) -> Call {
        match self {
            Self::Tencent => Call::new(url, tencent::cleanup_event(id, end)),
        }
    }
}
