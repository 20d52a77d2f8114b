//! The cleanup function of the chat: removes a connection that has ended from the roster.
//!
//! A cleanup is delivered at least once, so a second call must do no harm.

use std::sync::Arc;

use futures_util::future;
use serde_json::{Value, json};
use shared::{
    event::CleanupEvent,
    push::{Push, PushAction, Targets},
};

use crate::{
    environment::Environment,
    event,
    function::{BoxFuture, Context, Function, FunctionError},
    push_client::PushClient,
    roster::Roster,
    start_error::StartError,
};

struct Cleanup {
    roster: Roster,
    push_client: PushClient,
}

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    PushClient::check(environment)?;
    Roster::check(environment)
}

pub(crate) fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    let push_client = PushClient::start(environment)?;
    Ok(Arc::new(Cleanup { roster: Roster::start(environment)?, push_client }))
}

impl Function for Cleanup {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(self.cleanup(event, context))
    }
}

impl Cleanup {
    async fn cleanup(&self, event: &[u8], context: &Context) -> Result<Value, FunctionError> {
        let CleanupEvent { websocket } = event::parse(event, "closing")?;
        let id = websocket.connection_id;
        let push = Push { targets: Targets::One(id.clone()), action: PushAction::Close };

        // Both at the same time: a push that fails, or hangs until the invocation times out, must
        // not keep the id in the roster.
        let (removed, closed) =
            future::join(self.roster.remove(&id), self.push_client.push(&push, context)).await;
        removed?;
        closed?;
        tracing::debug!(connection.id = id, "connection cleaned up");
        Ok(json!({ "errNo": 0, "errMsg": "ok" }))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;

    use super::start;
    use crate::{
        FunctionError,
        roster::Roster,
        testing::{ClosedPort, FakeGateway, chat, context, message},
    };

    const EVENT: &[u8] =
        br#"{"websocket":{"action":"closing","secConnectionID":"a==","closeReason":"lost"}}"#;

    #[tokio::test]
    async fn cleanup_closes_the_connection_and_removes_the_id_and_may_be_called_twice() {
        let gone = r#"{"errNo":410,"errMsg":"no such connection: it is gone"}"#;
        let gateway = FakeGateway::start([(200, gone.to_owned()), (200, gone.to_owned())]).await;
        let environment = chat(gateway.url(), "cleanup");
        let roster = Roster::start(&environment).unwrap();
        roster.add("a==").await.unwrap();
        roster.add("b==").await.unwrap();

        let cleanup = start(&environment).unwrap();
        for _ in 0..2 {
            let reply = cleanup.call(EVENT, &context()).await.unwrap();
            assert_eq!(reply["errNo"], 0);
            assert_eq!(roster.list().await.unwrap(), ["b=="]);
        }
        let closing = json!({"websocket": {"action": "closing", "secConnectionID": "a=="}});
        assert_eq!(gateway.bodies(), [closing.clone(), closing]);
    }

    #[tokio::test]
    async fn a_failed_push_raises_but_the_id_is_removed() {
        let closed = ClosedPort::hold();
        let environment = chat(closed.url(), "cleanup-unreachable");
        let roster = Roster::start(&environment).unwrap();
        roster.add("a==").await.unwrap();

        let error = start(&environment).unwrap().call(EVENT, &context()).await.unwrap_err();
        assert!(error.source().unwrap().to_string().starts_with("push to http://127"), "{error}");
        assert!(roster.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_transmit_event_removes_nothing() {
        let closed = ClosedPort::hold();
        let environment = chat(closed.url(), "cleanup-message");
        let roster = Roster::start(&environment).unwrap();
        roster.add("a==").await.unwrap();

        let cleanup = start(&environment).unwrap();
        let error = cleanup.call(&message("a==", "text", "hi"), &context()).await.unwrap_err();
        assert!(matches!(error, FunctionError::BadEvent(_)), "{error}");
        assert_eq!(roster.list().await.unwrap(), ["a=="]);
    }
}
