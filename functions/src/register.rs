//! The register function of the chat: adds a new connection to the roster.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::event::register::Connecting;

use crate::{
    environment::Environment,
    event,
    function::{BoxFuture, Context, Function, FunctionError},
    push_client::PushClient,
    roster::Roster,
    start_error::StartError,
};

struct Register {
    roster: Roster,
}

/// The part of the register event that is read here. The rest describes the request, which does not
/// matter here: everybody may join the chat.
#[derive(Deserialize)]
struct ConnectingEvent {
    websocket: Connecting,
}

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    // This function pushes nothing. But the three functions of a chat have the same settings, so
    // each of them reports a bad address.
    PushClient::check(environment)?;
    Roster::check(environment)
}

pub(crate) fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    check(environment)?;
    Ok(Arc::new(Register { roster: Roster::start(environment)? }))
}

impl Function for Register {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(self.register(event))
    }
}

impl Register {
    async fn register(&self, event: &[u8]) -> Result<Value, FunctionError> {
        let ConnectingEvent { websocket } = event::parse(event, "connecting")?;
        self.roster.add(&websocket.connection_id).await?;
        tracing::debug!(connection.id = websocket.connection_id, "connection registered");
        Ok(accept(&websocket))
    }
}

fn accept(websocket: &Connecting) -> Value {
    let mut reply = json!({
        "errNo": 0,
        "errMsg": "ok",
        "websocket": { "action": "connecting", "secConnectionID": websocket.connection_id },
    });
    if let Some(protocol) = websocket.protocol.as_deref().and_then(first_of) {
        reply["websocket"]["secWebSocketProtocol"] = protocol.into();
    }
    reply
}

/// The first entry of a comma-separated list.
fn first_of(offered: &str) -> Option<&str> {
    offered.split(',').map(str::trim).find(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::start;
    use crate::{
        FunctionError,
        roster::Roster,
        testing::{chat, context},
    };

    #[tokio::test]
    async fn register_adds_the_connection_and_chooses_the_first_protocol() {
        let environment = chat("http://127.0.0.1:1/api", "register");
        let register = start(&environment).unwrap();
        let mut event = json!({"websocket": {"action": "connecting", "secConnectionID": "a=="}});

        let reply = register.call(event.to_string().as_bytes(), &context()).await.unwrap();
        let websocket = json!({"action": "connecting", "secConnectionID": "a=="});
        assert_eq!(reply, json!({"errNo": 0, "errMsg": "ok", "websocket": websocket}));

        event["websocket"]["secWebSocketProtocol"] = "chat, binary".into();
        let reply = register.call(event.to_string().as_bytes(), &context()).await.unwrap();
        assert_eq!(reply["websocket"]["secWebSocketProtocol"], "chat");
        assert_eq!(Roster::start(&environment).unwrap().list().await.unwrap(), ["a=="]);
    }

    #[tokio::test]
    async fn an_id_that_is_a_path_is_a_bad_event() {
        let register = start(&chat("http://127.0.0.1:1/api", "register-path")).unwrap();
        let event = r#"{"websocket":{"action":"connecting","secConnectionID":"../a"}}"#;
        let error = register.call(event.as_bytes(), &context()).await.unwrap_err();
        assert!(matches!(error, FunctionError::BadEvent(_)), "{error}");
    }
}
