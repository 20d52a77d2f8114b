//! Paths of the API gateway. Those of WebSockets are served, those of HTTP are not.

use std::time::Duration;

use crate::{
    code::is_api_id,
    components::Parts,
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
        Said,
    },
    functions::seconds,
    note::Severity,
    yaml::{Node, Value},
};

/// A path for WebSockets, with the names of its functions, which need not be there.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) path: Said,
    pub(crate) stage: String,
    pub(crate) register: Option<Said>,
    pub(crate) transmit: Said,
    pub(crate) cleanup: Option<Said>,
    pub(crate) timeout: Duration,
    /// The id for pushes, if the document has it.
    pub(crate) id: Option<String>,
}

/// What all paths of a service have in common.
#[derive(Debug)]
pub(super) struct Service<'a> {
    /// The instance or the trigger, for people.
    pub(super) name: &'a str,
    /// `release`, `prepub` or `test`.
    pub(super) stage: String,
    /// Whether all its paths are for WebSockets.
    pub(super) is_websocket: bool,
    /// The function that a path without one leads to.
    pub(super) function: Option<&'a Said>,
}

/// How long a call may take if the document does not say.
const TIMEOUT_DEFAULT: u64 = 15;

const KEYS: &[Key] = &[
    ("path", Fine),
    ("method", Fine),
    ("protocol", Fine),
    ("protocols", Fine),
    ("serviceTimeout", Fine),
    ("function", Fine),
    ("apiId", Fine),
    ("apiName", Fine),
    ("apiDesc", Fine),
    ("description", Fine),
    ("serviceType", Fine),
    ("enableCORS", Fine),
    ("responseType", Fine),
    ("isBase64Encoded", Fine),
    ("isBase64Trigger", Fine),
    ("base64EncodedTriggerRules", Fine),
    ("internalDomain", Fine),
    ("param", Idle("parameters are not checked here; the register event has all of the query")),
    ("usagePlan", Idle("there are no plans and quotas here")),
    (
        "auth",
        Missed("clients are not asked for a key pair here; set auth of the api in gateway.toml"),
    ),
    (
        "authType",
        Missed("clients are not asked who they are here; set auth of the api in gateway.toml"),
    ),
    ("app", Missed("clients are not asked who they are here; set auth of the api in gateway.toml")),
    ("serviceConfig", Fine),
];

impl Context<'_> {
    pub(super) fn endpoint(&mut self, node: &Node, service: &Service<'_>, parts: &mut Parts) {
        if !node.is_map() {
            let what = format!("an endpoint is {}, and should be a map", node.kind());
            self.notes.warning(&node.spot, what);
            return;
        }
        let function = self.get(node, "function");
        let is_websocket = service.is_websocket
            || self.asks_for_websocket(node)
            || function.as_ref().is_some_and(|function| self.asks_for_websocket(function));
        let path = match self.needed_text(node, "path") {
            Ok(Some(path)) => path,
            Ok(None) => Said { text: "/".to_owned(), spot: node.spot.clone() },
            Err(_) => return,
        };
        if !is_websocket {
            let method =
                self.text(node, "method").map_or_else(|| "ANY".to_owned(), |said| said.text);
            let what = format!(
                "the HTTP endpoint {method} {} is not served here: only WebSockets are",
                path.text
            );
            self.notes.warning(&path.spot, what);
            return;
        }
        self.check_keys(node, KEYS, "a WebSocket endpoint");
        self.websocket(node, function.as_ref(), path, service, parts);
    }

    fn websocket(
        &mut self,
        node: &Node,
        function: Option<&Node>,
        path: Said,
        service: &Service<'_>,
        parts: &mut Parts,
    ) {
        if let Some(kind) = self.text(node, "serviceType")
            && !kind.text.eq_ignore_ascii_case("SCF")
        {
            let what = format!(
                "{} leads to a server of kind {}, and not to functions: this is not served here; \
                 have clients connect to the server itself",
                path.text, kind.text
            );
            self.notes.error(&kind.spot, what);
            return;
        }
        let name = |context: &mut Self, keys: &[&str]| context.name_of(function, keys);
        let register = name(self, &["registerFunctionName", "registerFunction"]);
        let cleanup = name(self, &["cleanupFunctionName", "cleanupFunction"]);
        let transmit = name(self, &["transportFunctionName", "transportFunction"]);
        let (Ok(register), Ok(transmit), Ok(cleanup)) = (register, transmit, cleanup) else {
            return;
        };
        let other = |context: &mut Self| {
            let named = context.name_of(function, &["functionName", "name"]).ok().flatten();
            let said = function.and_then(as_name);
            named.or(said).or_else(|| service.function.cloned())
        };
        let Some(transmit) = transmit.or_else(|| other(self)) else {
            let what = format!(
                "{} has no function for messages; write function: {{transportFunctionName: …}}",
                path.text
            );
            self.notes.error(&path.spot, what);
            return;
        };
        let id = self.text(node, "apiId").filter(|id| is_api_id(&id.text)).map(|id| id.text);
        let name = format!("{} {}", service.name, path.text);
        let timeout = seconds(self, node, "serviceTimeout", TIMEOUT_DEFAULT);
        let stage = service.stage.clone();
        parts.endpoints.push(Endpoint {
            name,
            path,
            stage,
            register,
            transmit,
            cleanup,
            timeout,
            id,
        });
    }

    /// The name of a function, which may stand within a map.
    fn name_of(
        &mut self,
        function: Option<&Node>,
        keys: &[&str],
    ) -> Result<Option<Said>, crate::context::Noted> {
        let Some(function) = function.filter(|function| function.is_map()) else { return Ok(None) };
        for key in keys {
            let Some(node) = self.needed(function, key)? else { continue };
            let said = if node.is_map() {
                let named = self.needed_text(&node, "functionName")?;
                named.or(self.needed_text(&node, "name")?)
            } else {
                Some(self.as_text(key, &node, Severity::Error)?)
            };
            if let Some(said) = said.filter(|said| !said.text.is_empty()) {
                return Ok(Some(said));
            }
        }
        Ok(None)
    }

    /// Whether `protocol` or `protocols` names WebSockets.
    pub(super) fn asks_for_websocket(&mut self, node: &Node) -> bool {
        let is = |text: &str| {
            ["websocket", "websockets", "ws", "wss"].contains(&text.to_lowercase().as_str())
        };
        ["protocol", "protocols", "frontendType"].iter().any(|key| match node.get(key) {
            None => false,
            Some(found) => match self.references.resolve(found).map(|node| node.value) {
                Ok(Value::Text(text)) => text.split(['&', ',', ' ']).any(is),
                Ok(Value::List(list)) => list.iter().any(|item| item.text().is_some_and(is)),
                _ => false,
            },
        })
    }
}

/// A function that is given by its name alone.
fn as_name(function: &Node) -> Option<Said> {
    let text = function.text().filter(|text| !text.is_empty())?;
    Some(Said { text: text.to_owned(), spot: function.spot.clone() })
}
