//! The edge to the function contract: turns what the gateway knows into the JSON of events.

use shared::{
    connection_id::ConnectionId,
    data::{DataType, Payload, encode_binary},
    event::{
        CleanupEvent, RegisterEvent, TransmitEvent,
        cleanup::Closing,
        register::{Connecting, Identity, Map, RequestContext},
        transmit::DataSend,
    },
    push::{PushAction, PushRequest, Targets},
};
use tracing::warn;
use url::form_urlencoded;

use crate::{
    api::ApiConfig,
    opening::handshake::Handshake,
    registry::{End, Frame, Message},
};

/// The event of the register function.
pub(crate) fn register(
    api: &ApiConfig,
    id: ConnectionId,
    handshake: &Handshake,
    request_id: &str,
) -> Vec<u8> {
    let settings = &api.settings;
    let stage = settings.path.stage().to_owned();
    let query = query(handshake.uri.query().unwrap_or_default());
    let headers = headers(&handshake.headers);
    to_json(&RegisterEvent {
        request_context: RequestContext {
            service_id: settings.service_id.clone(),
            service_name: settings.service_name.clone(),
            path: settings.path.as_str().to_owned(),
            http_method: "GET".to_owned(),
            request_id: request_id.to_owned(),
            identity: Identity::default(),
            source_ip: handshake.peer.ip().to_canonical().to_string(),
            stage: stage.clone(),
            websocket_enable: true,
        },
        websocket: Connecting {
            connection_id: id.to_string(),
            protocol: handshake.protocols.clone(),
            extensions: handshake.extensions.clone(),
        },
        header_parameters: headers.clone(),
        headers,
        path: handshake.uri.path().to_owned(),
        http_method: "GET".to_owned(),
        query_string_parameters: query.clone(),
        query_string: query,
        path_parameters: handshake.path_parameters.clone(),
        stage_variables: Map::from([("stage".to_owned(), stage)]),
    })
}

/// The event of the transmit function.
pub(crate) fn transmit(id: ConnectionId, message: &Message) -> Vec<u8> {
    let (data_type, data) = match message {
        Message::Text(text) => (DataType::Text, text.as_str().into()),
        Message::Binary(bytes) => (DataType::Binary, encode_binary(bytes).into()),
    };
    let connection_id = id.to_string().into();
    to_json(&TransmitEvent { websocket: DataSend { connection_id, data_type, data } })
}

/// The event of the cleanup function.
pub(crate) fn cleanup(id: ConnectionId, end: End) -> Vec<u8> {
    to_json(&CleanupEvent {
        websocket: Closing {
            connection_id: id.to_string(),
            close_code: end.code.map(|code| u16::from(code).to_string()),
            close_reason: Some(end.reason),
        },
    })
}

/// What a transmit function's reply says to its sender, if it is a `data send` to it.
pub(crate) fn transmit_reply(body: &[u8], id: ConnectionId, bytes_max: usize) -> Option<Frame> {
    let Ok(PushRequest::One(Ok(push))) = PushRequest::parse(body) else { return None };
    let own = Targets::One(id.to_string());
    match push.action {
        PushAction::Send(payload) if push.targets == own => {
            let frame = Frame::from(message(payload));
            if frame.len() > bytes_max {
                let bytes = frame.len();
                warn!(connection.id = %id, bytes, bytes_max, "reply too large for its sender");
                return None;
            }
            Some(frame)
        }
        PushAction::Send(_) | PushAction::Close => None,
    }
}

/// The content of a push.
pub(crate) fn message(payload: Payload) -> Message {
    match payload {
        Payload::Text(text) => Message::Text(text.into()),
        Payload::Binary(bytes) => Message::Binary(bytes.into()),
    }
}

fn to_json(event: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(event).expect("events have only strings and string keys")
}

fn query(query: &str) -> Map {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn headers(headers: &http::HeaderMap) -> Map {
    let mut map = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        map.entry(name.as_str().to_owned())
            .and_modify(|joined: &mut String| {
                joined.push_str(", ");
                joined.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    map
}
