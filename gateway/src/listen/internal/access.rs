//! Who may use which route of the internal listener.

use daemon::{
    body::RequestBody,
    credentials::{Caller, Denial, Presented, is_loopback},
    serve::PeerAddress,
    settings::Secret,
};
use http::{HeaderMap, Request};

use super::{Internal, OwnRoute, TokenPlace};
use crate::{
    api::PushTarget,
    dialect::{FUNCTION_HEADER, PUSH_TO_HEADER},
    push::{PushSource, TokenScope},
};

/// What a route that is not for pushes asks of its callers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access {
    /// Nothing.
    Anybody,
    /// The token of the operator.
    Operator,
    /// Any token that is known here.
    Known,
}

const OPERATOR: &str =
    "send the header Authorization: Bearer with the token in the gateway's access.operator_file";
const PUSHER: &str = "send the header Authorization: Bearer with a token of [[push.tokens]] for this \
                      api, or push to /~/t/<token>/<api id>";

impl OwnRoute {
    pub(super) fn access(self) -> Access {
        match self {
            Self::Health | Self::Readiness => Access::Anybody,
            Self::Cleanups | Self::Cleanup | Self::RetryCleanup | Self::UnknownCleanup => {
                Access::Operator
            }
            Self::Reserved => Access::Known,
        }
    }
}

impl Internal {
    /// The error says why the caller of `request` may not use a route with this access.
    pub(super) fn admit(
        &self,
        access: Access,
        request: &Request<RequestBody>,
    ) -> Result<(), Denial> {
        if self.gate.is_open() {
            return Ok(());
        }
        let caller = self.gate.caller(Presented::of(request.headers()));
        match (access, caller) {
            (Access::Anybody, _)
            | (Access::Operator | Access::Known, Caller::Operator)
            | (Access::Known, Caller::Service) => Ok(()),
            (Access::Operator, _) => Err(caller.denial(OPERATOR)),
            (Access::Known, Caller::Other(Presented::Token(token)))
                if self.push_tokens.scope(token, &[]) > TokenScope::Nothing =>
            {
                Ok(())
            }
            (Access::Known, Caller::Other(Presented::Nothing)) if self.trusts(request) => Ok(()),
            (Access::Known, Caller::Other(_)) => Err(caller.denial(PUSHER)),
        }
    }

    /// Who pushes with `request` to the API `id`, or why its caller may not. `token` is that in the
    /// path.
    pub(super) fn admit_push(
        &self,
        place: TokenPlace,
        [id, token]: [&str; 2],
        request: &Request<RequestBody>,
    ) -> Result<PushSource, Denial> {
        if self.gate.is_open() {
            return Ok(PushSource::Anybody);
        }
        let caller = match place {
            TokenPlace::Header => self.gate.caller(Presented::of(request.headers())),
            TokenPlace::Path => return self.admit_token(token, id),
        };
        match caller {
            Caller::Operator => Ok(PushSource::Operator),
            Caller::Service => self.admit_function(id, request.headers()),
            Caller::Other(Presented::Token(token)) => self.admit_token(token, id),
            Caller::Other(Presented::Nothing) if self.trusts(request) => Ok(PushSource::Anybody),
            Caller::Other(_) => Err(caller.denial(PUSHER)),
        }
    }

    /// Whether `push.auth` lets the caller push without a token.
    fn trusts(&self, request: &Request<RequestBody>) -> bool {
        self.trusts_this_machine && is_loopback(PeerAddress::of(request.extensions()))
    }

    /// The same answer for an API that is not there, so that nobody learns which ones there are.
    fn admit_token(&self, token: &str, id: &str) -> Result<PushSource, Denial> {
        let target = self.apis.by_push_id(id);
        match self.push_tokens.scope(token, &opening_ids(id, target.as_ref())) {
            TokenScope::ThisApi => Ok(PushSource::Token(Secret::new(token))),
            TokenScope::OtherApis => Err(Denial::NotThis(format!(
                "the token is not for api {id:?}; use a token of [[push.tokens]] whose apis have it"
            ))),
            TokenScope::Nothing => Err(Denial::Wrong(PUSHER.to_owned())),
        }
    }

    /// A service pushes for the function that it names.
    fn admit_function(&self, id: &str, headers: &HeaderMap) -> Result<PushSource, Denial> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(function) = text(FUNCTION_HEADER) else {
            let what = format!(
                "a service pushes for a function only; name it in the header {FUNCTION_HEADER}"
            );
            return Err(Denial::NotThis(what));
        };
        let source = PushSource::Function(function.to_owned());
        let target = self.apis.by_push_id(id);
        if let Some(push_to) = text(PUSH_TO_HEADER) {
            let ids = opening_ids(id, target.as_ref());
            return match push_to.split(',').any(|api| ids.contains(&api.trim())) {
                true => Ok(source),
                false => Err(Denial::NotThis(format!(
                    "function {function:?} may not push to api {id:?}: its push_to does not have \
                     it; add it to push_to of functions.{function} in functions.toml"
                ))),
            };
        }
        let mut apis = target.iter().flat_map(PushTarget::apis);
        match apis.any(|api| api.config().names(function)) {
            true => Ok(source),
            false => Err(Denial::NotThis(format!(
                "function {function:?} may not push to api {id:?}: no such api names it; set push_to \
                 = [{id:?}] of functions.{function} in functions.toml, or name the function in the \
                 api"
            ))),
        }
    }
}

/// The ids that open a push to `id`: itself, and those of the APIs that are reached by it. Who may
/// push to one of several APIs that share an id may use this id.
fn opening_ids<'a>(id: &'a str, target: Option<&'a PushTarget>) -> Vec<&'a str> {
    let apis = target.into_iter().flat_map(PushTarget::apis);
    [id].into_iter().chain(apis.map(|api| api.id())).collect()
}
