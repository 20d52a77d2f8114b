//! The echo function: a transmit function that sends each message back to its sender.
//!
//! It needs no roster, so it is the shortest path through gateway, runner and push.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    event::TransmitEvent,
    push::{Push, PushAction, Targets},
};

use crate::{
    environment::Environment,
    event,
    function::{BoxFuture, Context, Function, FunctionError},
    push_client::PushClient,
    start_error::StartError,
};

struct Echo {
    push_client: PushClient,
}

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    PushClient::check(environment).map(drop)
}

pub(crate) fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    Ok(Arc::new(Echo { push_client: PushClient::start(environment)? }))
}

impl Function for Echo {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(self.echo(event, context))
    }
}

impl Echo {
    async fn echo(&self, event: &[u8], context: &Context) -> Result<Value, FunctionError> {
        let TransmitEvent { websocket } = event::parse(event, "data send")?;
        let sender = websocket.connection_id.clone().into_owned();
        let payload = websocket.into_payload().map_err(FunctionError::bad_event)?;
        let push = Push { targets: Targets::One(sender), action: PushAction::Send(payload) };
        // Not a failure if the sender's connection has ended meanwhile.
        self.push_client.push(&push, context).await?;
        Ok(json!({ "errNo": 0, "errMsg": "ok" }))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;

    use super::start;
    use crate::{
        Environment,
        testing::{FakeGateway, context, message},
    };

    async fn check(data_type: &str, data: &str) {
        let gateway = FakeGateway::start([]).await;
        let echo = start(&Environment::from([("url", gateway.url())])).unwrap();
        echo.call(&message("a==", data_type, data), &context()).await.unwrap();
        let websocket = json!({
            "action": "data send", "secConnectionID": "a==", "dataType": data_type, "data": data,
        });
        assert_eq!(gateway.bodies(), [json!({ "websocket": websocket })]);
    }

    #[tokio::test]
    async fn text_and_binary_messages_come_back_unchanged() {
        check("text", "h\u{e9}llo \"there\"\n").await;
        check("text", "").await;
        check("binary", "AP8Q").await;
        check("binary", "").await;
    }

    #[tokio::test]
    async fn a_push_to_a_gone_sender_succeeds_and_a_refused_push_raises() {
        let gateway = FakeGateway::start([
            (200, r#"{"errNo":410,"errMsg":"gone"}"#.to_owned()),
            (200, r#"{"errNo":413,"errMsg":"too large"}"#.to_owned()),
        ])
        .await;
        let echo = start(&Environment::from([("url", gateway.url())])).unwrap();
        echo.call(&message("a==", "text", "hi"), &context()).await.unwrap();

        let error = echo.call(&message("a==", "text", "hi"), &context()).await.unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.ends_with("errNo 413, too large"), "{cause}");
    }
}
