//! The events of functions, and what a register function's answer means.

use bytes::Bytes;
use http::header;
use shared::{
    connection_id::ConnectionId,
    data::{DataType, encode_binary},
    event::{
        CleanupEvent, RegisterEvent, TransmitEvent,
        cleanup::{CloseReason, Closing},
        register::{Connecting, Identity, Map, RequestContext},
        transmit::DataSend,
    },
    reply::RegisterReply,
};
use url::{Url, form_urlencoded};

use crate::{
    api::ApiConfig,
    call::{Call, Origin},
    dialect::{HandshakeRequest, Registered},
    identity::Identity as Proven,
    registry::{ConnectionInfo, End, EndReason, Message},
    settings::PathMatch,
};

/// The call of the register function. Its event has the id of the invocation.
pub(in crate::dialect) fn register_call(
    url: &Url,
    origin: Origin,
    api: &ApiConfig,
    info: &ConnectionInfo,
    request: &HandshakeRequest,
) -> Call {
    let mut call = Call::new(url, origin, Bytes::new());
    call.event = register_event(&call.request_id, api, info, request).into();
    call
}

fn register_event(
    request_id: &str,
    api: &ApiConfig,
    info: &ConnectionInfo,
    request: &HandshakeRequest,
) -> Vec<u8> {
    let settings = &api.settings;
    let PathMatch { pattern, parameters } = &request.path;
    let stage = api.stage(pattern).to_owned();
    let query = query(request.uri.query().unwrap_or_default());
    let headers = headers(&request.headers);
    to_json(&RegisterEvent {
        request_context: RequestContext {
            service_id: settings.service_id.clone(),
            service_name: settings.service_name.clone(),
            path: pattern.as_str().to_owned(),
            http_method: "GET".to_owned(),
            request_id: request_id.to_owned(),
            identity: identity(request),
            source_ip: info.source_ip.to_string(),
            stage: stage.clone(),
            websocket_enable: true,
        },
        websocket: Connecting {
            connection_id: info.id.to_string(),
            protocol: request.protocols.clone(),
            extensions: request.extensions.clone(),
        },
        header_parameters: headers.clone(),
        headers,
        path: request.uri.path().to_owned(),
        http_method: "GET".to_owned(),
        query_string_parameters: query.clone(),
        query_string: query,
        path_parameters: parameters.clone(),
        stage_variables: Map::from([("stage".to_owned(), stage)]),
    })
}

/// `{}` for a client that did not have to prove anything.
fn identity(request: &HandshakeRequest) -> Identity {
    match &request.identity {
        None => Identity::default(),
        Some(Proven::KeyPair { id }) => {
            Identity { secret_id: Some(id.clone()), ..Identity::default() }
        }
        Some(Proven::Token { claims }) => {
            Identity { claims: Some(claims.clone()), ..Identity::default() }
        }
    }
}

/// What the register function's answer means.
pub(in crate::dialect) fn judge_register(body: &[u8]) -> Registered {
    match RegisterReply::parse(body) {
        Ok(RegisterReply::Accepted { protocol }) => Registered::Accepted { subprotocol: protocol },
        Ok(RegisterReply::Refused { err_no, err_msg }) => {
            Registered::Refused { code: err_no, message: err_msg }
        }
        Ok(RegisterReply::Nothing) => Registered::Nothing,
        Ok(RegisterReply::Declined { err_msg }) => Registered::Declined { message: err_msg },
        Err(error) => Registered::Unreadable(error.to_string()),
    }
}

/// The event of the transmit function.
pub(in crate::dialect) fn message_event(info: &ConnectionInfo, message: &Message) -> Vec<u8> {
    let (data_type, data) = match message {
        Message::Text(text) => (DataType::Text, text.as_str().into()),
        Message::Binary(bytes) => (DataType::Binary, encode_binary(bytes).into()),
    };
    let connection_id = info.id.to_string().into();
    to_json(&TransmitEvent { websocket: DataSend { connection_id, data_type, data } })
}

/// The event of the cleanup function.
pub(in crate::dialect) fn cleanup_event(id: ConnectionId, end: End) -> Vec<u8> {
    to_json(&CleanupEvent {
        websocket: Closing {
            connection_id: id.to_string(),
            close_code: end.code.map(|code| u16::from(code).to_string()),
            close_reason: Some(close_reason(end.reason)),
        },
    })
}

fn close_reason(reason: EndReason) -> CloseReason {
    match reason {
        EndReason::Client => CloseReason::Client,
        EndReason::Server => CloseReason::Server,
        EndReason::Idle => CloseReason::Idle,
        EndReason::Lost => CloseReason::Lost,
        EndReason::Limit => CloseReason::Limit,
        EndReason::Expired => CloseReason::Expired,
        EndReason::Fault => CloseReason::Fault,
        EndReason::Drain => CloseReason::Drain,
        EndReason::Crash => CloseReason::Crash,
        EndReason::Unregistered => CloseReason::Unregistered,
    }
}

fn to_json(event: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(event).expect("events have only strings and string keys")
}

fn query(query: &str) -> Map {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The lines of a repeated header are joined: those of cookies as cookies are (RFC 9113 section
/// 8.2.3), all others as lists (RFC 9110 section 5.3).
fn headers(headers: &http::HeaderMap) -> Map {
    let mut map = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let separator = if name == header::COOKIE { "; " } else { ", " };
        map.entry(name.as_str().to_owned())
            .and_modify(|joined: &mut String| {
                joined.push_str(separator);
                joined.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    map
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, path::Path};

    use http::{HeaderMap, Uri};
    use serde_json::{Value, json};

    use super::*;
    use crate::{api::Apis, settings::Settings};

    const SETTINGS: &str = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;

    #[test]
    fn the_register_event_says_who_the_client_proved_to_be() {
        let settings = Settings::parse(Path::new(""), SETTINGS, &Default::default()).unwrap();
        let apis = Apis::new(settings.apis, settings.runner);
        let api = apis.by_id("a").unwrap();
        let id = ConnectionId::from_bytes([7; 19]);
        let info = ConnectionInfo::new(id, &api, "/a", Ipv4Addr::LOCALHOST.into(), None);
        let mut request = HandshakeRequest {
            uri: Uri::from_static("/a"),
            headers: HeaderMap::new(),
            path: apis.by_path("/a").unwrap().1,
            protocols: None,
            extensions: None,
            identity: None,
        };
        let pair = Proven::KeyPair { id: "AKID".to_owned() };
        let claims = json!({ "sub": "anna", "roles": ["a"] });
        let token = Proven::Token { claims: claims.as_object().unwrap().clone() };
        for (identity, expected) in [
            (None, json!({})),
            (Some(pair), json!({ "secretId": "AKID" })),
            (Some(token), json!({ "claims": claims })),
        ] {
            request.identity = identity;
            let event = register_event("r", &api.config(), &info, &request);
            let event: Value = serde_json::from_slice(&event).unwrap();
            assert_eq!(event["requestContext"]["identity"], expected);
        }
    }

    #[test]
    fn the_event_of_cleanup_has_the_word_that_operators_see() {
        for &reason in EndReason::ALL {
            assert_eq!(close_reason(reason).as_str(), reason.as_str());
        }
    }
}
