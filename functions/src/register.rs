//! The register function of the chat: adds a new connection to the roster. A client that asks for
//! it with `online` in its query is told at once how many people are there.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    data::Payload,
    event::register::{Connecting, Map},
    push::{Push, PushAction, Targets},
};

use crate::{
    environment::Environment,
    event,
    function::{BoxFuture, Context, Function, FunctionError},
    push_client::PushClient,
    roster::Roster,
    start_error::StartError,
    transmit::with_online,
};

struct Register {
    roster: Roster,
    push_client: PushClient,
}

/// The part of the register event that is read here. The rest describes the request, which does not
/// matter here: everybody may join the chat.
#[derive(Deserialize)]
struct ConnectingEvent {
    websocket: Connecting,
    #[serde(default, rename = "queryString")]
    query: Map,
}

/// The name in the query of a client that wants to know how many people are online.
const ONLINE: &str = "online";

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    PushClient::check(environment)?;
    Roster::check(environment)
}

pub(crate) fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    let push_client = PushClient::start(environment)?;
    Ok(Arc::new(Register { roster: Roster::start(environment)?, push_client }))
}

impl Function for Register {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(self.register(event, context))
    }
}

impl Register {
    async fn register(&self, event: &[u8], context: &Context) -> Result<Value, FunctionError> {
        let ConnectingEvent { websocket, query } = event::parse(event, "connecting")?;
        self.roster.add(&websocket.connection_id).await?;
        if query.contains_key(ONLINE) {
            self.tell_online(&websocket.connection_id, context).await;
        }
        tracing::debug!(connection.id = websocket.connection_id, "connection registered");
        Ok(accept(&websocket))
    }

    /// Sends the number of open connections to the new one. The gateway holds the message until the
    /// connection is open. Without the number a client can chat all the same.
    async fn tell_online(&self, id: &str, context: &Context) {
        let told = async {
            let online = self.roster.list().await?.len();
            let payload = with_online(Payload::Text(String::new()), online);
            let targets = Targets::One(id.to_owned());
            let push = Push { targets, action: PushAction::Send(payload) };
            self.push_client.push(&push, context).await?;
            Ok::<_, FunctionError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(connection.id = id, %error, "number of people online not sent");
        }
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
        testing::{FakeGateway, chat, context},
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

    #[tokio::test]
    async fn a_client_that_asks_is_told_who_is_online_and_no_other() {
        let answer = r#"{"errNo":0,"errMsg":"ok"}"#.to_owned();
        let gateway = FakeGateway::start([(200, answer), (500, "no".to_owned())]).await;
        let register = start(&chat(gateway.url(), "register-online")).unwrap();
        let event = |id: &str, query: &str| {
            let websocket = json!({"action": "connecting", "secConnectionID": id});
            json!({"websocket": websocket, "queryString": {query: "1"}}).to_string()
        };
        // The last one cannot be told, and may join.
        for (id, query) in [("a==", "offline"), ("b==", "online"), ("c==", "online")] {
            let event = event(id, query);
            let reply = register.call(event.as_bytes(), &context()).await.unwrap();
            assert_eq!(reply["errNo"], 0);
        }
        let told = |id: &str, data: &str| {
            json!({"websocket": {
                "action": "data send", "secConnectionID": id, "dataType": "text", "data": data,
            }})
        };
        let expected =
            [told("b==", "(===Online people:2===)"), told("c==", "(===Online people:3===)")];
        assert_eq!(gateway.bodies(), expected);
    }
}
