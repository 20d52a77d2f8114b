//! A listener that is asked.

use http::Method;
use reqwest::{Client, RequestBuilder, Response};

use super::{
    credentials::{OTHER, PUSH, WRONG, With, role_key},
    signature,
    table::{Row, Who},
};
use crate::support::{
    access::{OPERATOR, SERVICE},
    soon,
};

/// A listener, and who may use what of it.
pub(super) struct Listener {
    pub(super) base: String,
    pub(super) http: Client,
    pub(super) table: &'static [Row],
    /// Who learns that a path, or a method of a path, has no route.
    pub(super) nothing: Who,
}

impl Listener {
    pub(super) fn request(&self, method: &Method, path: &str, with: With) -> RequestBuilder {
        let role_key = role_key();
        let token = match with {
            With::Nothing | With::Expired | With::Function => None,
            With::RoleKey => Some(&*role_key),
            With::Wrong => Some(WRONG),
            With::OtherApi => Some(OTHER),
            With::ThisApi => Some(PUSH),
            With::Service => Some(SERVICE),
            With::Operator => Some(OPERATOR),
        };
        let is_in_path = path.contains("{token}");
        let path = path
            .replace("{token}", token.unwrap_or("~"))
            .replace("/cleanups/{id}", "/cleanups/6ppaYeGJTTOazqKsxlKxUAAAAA==")
            .replace("{*id}", "api-test")
            .replace("{name}", "echo-transmit")
            .replace("{*rest}", "a/b");
        let request = self.http.request(method.clone(), format!("{}{path}", self.base));
        let mut request = request.body(CLOSING);
        if with == With::Function {
            request = request
                .header("longhold-function", "echo-transmit")
                .header("longhold-push-to", "api-test");
        }
        if with == With::Expired {
            let signature = signature::expired(method, &path);
            request = request.header("authorization", signature);
        }
        match token.filter(|_| !is_in_path) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Who may use `method` of a path.
    pub(super) fn who(&self, methods: &[Method], who: Who, method: &Method) -> Who {
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        if methods.is_empty() || methods.contains(asked) { who } else { self.nothing }
    }
}

/// A client that reads no certificates, which takes longer than all requests.
pub(super) fn plain() -> Client {
    Client::builder().tls_certs_only([]).build().unwrap()
}

const CLOSING: &str = r#"{"websocket":{"action":"closing","secConnectionID":"nobody"}}"#;

pub(super) async fn send(request: RequestBuilder) -> Response {
    soon("an answer", request.send()).await.unwrap()
}
