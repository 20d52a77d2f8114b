//! The event of the register function: a client wants to connect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// String values by name. The map is ordered, so that equal requests give equal JSON.
pub type Map = BTreeMap<String, String>;

/// The event. `requestContext` and `websocket` are documented for WebSocket; the other fields are
/// documented for Tencent's HTTP events, and existing handlers read them too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterEvent {
    /// The API that was requested, and the client.
    pub request_context: RequestContext,
    /// The connection that will be opened.
    pub websocket: Connecting,
    /// All request headers, names in lower case. Values of a repeated header are joined by `, `,
    /// those of `cookie` by `; `.
    #[serde(default)]
    pub headers: Map,
    /// The path of the request.
    #[serde(default)]
    pub path: String,
    /// Always `GET`.
    #[serde(default)]
    pub http_method: String,
    /// All query parameters, percent-decoded. Of a repeated parameter, the last value.
    #[serde(default)]
    pub query_string: Map,
    /// At Tencent: the query parameters that the API declares. An API declares none here, so this
    /// is the same as `query_string`.
    #[serde(default)]
    pub query_string_parameters: Map,
    /// The values of the `{name}` parts of the configured path, percent-decoded.
    #[serde(default)]
    pub path_parameters: Map,
    /// At Tencent: the headers that the API declares. An API declares none here, so this is the
    /// same as `headers`.
    #[serde(default)]
    pub header_parameters: Map,
    /// The variables of the stage: one, `stage`, with the name of the stage.
    #[serde(default)]
    pub stage_variables: Map,
}

/// The `requestContext` part. All fields are documented for WebSocket, except `serviceId`, which
/// is documented for Tencent's HTTP events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// Id of the service that the API belongs to.
    #[serde(default)]
    pub service_id: String,
    /// Name of the service that the API belongs to.
    pub service_name: String,
    /// The path as configured.
    pub path: String,
    /// Always `GET`.
    pub http_method: String,
    /// Names this handshake in the logs.
    pub request_id: String,
    /// The authenticated identity of the client; `{}` without authentication.
    pub identity: Identity,
    /// The IP address that connected, without the port. Behind a proxy: the proxy's address.
    pub source_ip: String,
    /// `release`, `prepub` or `test`.
    pub stage: String,
    /// Always true.
    pub websocket_enable: bool,
}

/// The authenticated identity of the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The id of the secret pair that signed the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<String>,
    /// What the client's JSON Web Token says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The `websocket` part: the documented four fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename = "connecting")]
pub struct Connecting {
    /// The id that this connection will have.
    #[serde(rename = "secConnectionID")]
    pub connection_id: String,
    /// The client's `Sec-WebSocket-Protocol` header, unchanged; absent if the client sent none.
    #[serde(rename = "secWebSocketProtocol", default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The client's `Sec-WebSocket-Extensions` header, unchanged; absent if the client sent none.
    #[serde(rename = "secWebSocketExtensions", default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<String>,
}
