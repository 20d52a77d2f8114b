//! Who may use which route of the internal listener.

use daemon::{
    body::RequestBody,
    credentials::{Caller, Denial, Presented, is_loopback},
    serve::PeerAddress,
};
use http::{HeaderMap, Request};

use super::{Internal, Route};
use crate::{
    dialect::{FUNCTION_HEADER, PUSH_TO_HEADER},
    push::TokenScope,
};

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    /// Nothing.
    Anybody,
    /// The token of the operator.
    Operator,
    /// Whatever pushes to the API.
    Push,
    /// A token of the API in the path.
    PushToken,
    /// Any token that is known here.
    Known,
}

const OPERATOR: &str =
    "send the header Authorization: Bearer with the token in the gateway's access.operator_file";
const PUSHER: &str = "send the header Authorization: Bearer with a token of [[push.tokens]] for this \
                      api, or push to /~/t/<token>/<api id>";

impl Route {
    pub(super) fn access(self) -> Access {
        match self {
            Self::Health | Self::Readiness => Access::Anybody,
            Self::Cleanups | Self::Cleanup | Self::RetryCleanup | Self::UnknownCleanup => {
                Access::Operator
            }
            Self::Api => Access::Push,
            Self::ApiByToken => Access::PushToken,
            Self::Reserved => Access::Known,
        }
    }
}

impl Internal {
    /// Why the caller of `request` may not use a route with this access. `id` is that of the API in
    /// the path, `token` the token there.
    pub(super) fn denial(
        &self,
        access: Access,
        [id, token]: [&str; 2],
        request: &Request<RequestBody>,
    ) -> Option<Denial> {
        if self.gate.is_open() {
            return None;
        }
        let caller = self.gate.caller(Presented::of(request.headers()));
        match (access, caller) {
            (Access::Anybody, _)
            | (Access::Operator | Access::Push, Caller::Operator)
            | (Access::Known, Caller::Operator | Caller::Service) => None,
            (Access::Operator, _) => Some(caller.denial(OPERATOR)),
            (Access::PushToken, _) => self.denial_of_token(token, id),
            (Access::Push, Caller::Service) => self.denial_of_function(id, request.headers()),
            (Access::Push, Caller::Other(Presented::Token(token))) => {
                self.denial_of_token(token, id)
            }
            (Access::Known, Caller::Other(Presented::Token(token)))
                if self.push_tokens.scope(token, id) > TokenScope::Nothing =>
            {
                None
            }
            (Access::Push | Access::Known, Caller::Other(Presented::Nothing))
                if self.trusts(request) =>
            {
                None
            }
            (Access::Push | Access::Known, Caller::Other(_)) => Some(caller.denial(PUSHER)),
        }
    }

    /// Whether `push.auth` lets the caller push without a token.
    fn trusts(&self, request: &Request<RequestBody>) -> bool {
        let peer = request.extensions().get();
        self.trusts_this_machine && peer.is_some_and(|PeerAddress(peer)| is_loopback(*peer))
    }

    /// The same answer for an API that is not there, so that nobody learns which ones there are.
    fn denial_of_token(&self, token: &str, id: &str) -> Option<Denial> {
        match self.push_tokens.scope(token, id) {
            TokenScope::ThisApi => None,
            TokenScope::OtherApis => Some(Denial::NotThis(format!(
                "the token is not for api {id:?}; use a token of [[push.tokens]] whose apis have it"
            ))),
            TokenScope::Nothing => Some(Denial::Wrong(PUSHER.to_owned())),
        }
    }

    /// A service pushes for the function that it names.
    fn denial_of_function(&self, id: &str, headers: &HeaderMap) -> Option<Denial> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(function) = text(FUNCTION_HEADER) else {
            let what = format!(
                "a service pushes for a function only; name it in the header {FUNCTION_HEADER}"
            );
            return Some(Denial::NotThis(what));
        };
        if let Some(push_to) = text(PUSH_TO_HEADER) {
            return (!push_to.split(',').any(|api| api.trim() == id)).then(|| {
                Denial::NotThis(format!(
                    "function {function:?} may not push to api {id:?}: its push_to does not have it; \
                     add it to push_to of functions.{function} in functions.toml"
                ))
            });
        }
        let is_named = self.apis.by_id(id).is_some_and(|api| api.config().names(function));
        (!is_named).then(|| {
            Denial::NotThis(format!(
                "function {function:?} may not push to api {id:?}: no such api names it; set push_to = \
                 [{id:?}] of functions.{function} in functions.toml, or name the function in the api"
            ))
        })
    }
}
