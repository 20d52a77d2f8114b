//! The event of the register function: a client wants to connect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// String values by name; ordered, so that the same request always makes the same JSON.
pub type Map = BTreeMap<String, String>;

/// The documented event, with the fields of Tencent's HTTP events beside it, which real handlers
/// read too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterEvent {
    /// Where the request came in, and from whom.
    pub request_context: RequestContext,
    /// The connection to be.
    pub websocket: Connecting,
    /// All request headers, names in lower case; the values of a repeated one joined by `, `.
    #[serde(default)]
    pub headers: Map,
    /// The path that was asked for.
    #[serde(default)]
    pub path: String,
    /// Always `GET`.
    #[serde(default)]
    pub http_method: String,
    /// All query parameters, decoded; the last one wins where a name is repeated.
    #[serde(default)]
    pub query_string: Map,
    /// The declared query parameters there. Nothing is declared here, so all of them.
    #[serde(default)]
    pub query_string_parameters: Map,
    /// The `{name}` parts of the configured path.
    #[serde(default)]
    pub path_parameters: Map,
    /// The declared headers there. Nothing is declared here, so all of them.
    #[serde(default)]
    pub header_parameters: Map,
    /// The variables of the stage: its name.
    #[serde(default)]
    pub stage_variables: Map,
}

/// Documented but for `serviceId`, which Tencent's HTTP events have.
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
    /// Who the client proved to be; `{}` without authentication.
    pub identity: Identity,
    /// The address of the client, without its port.
    pub source_ip: String,
    /// `release`, `prepub` or `test`.
    pub stage: String,
    /// Always true.
    pub websocket_enable: bool,
}

/// Who the client proved to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The id of the secret pair that signed the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<String>,
}

/// The `websocket` part: the documented four fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename = "connecting")]
pub struct Connecting {
    /// The id that this connection will have.
    #[serde(rename = "secConnectionID")]
    pub connection_id: String,
    /// The client's header verbatim; absent when the client sent none.
    #[serde(rename = "secWebSocketProtocol", default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The client's header verbatim; absent when the client sent none.
    #[serde(rename = "secWebSocketExtensions", default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<String>,
}
