//! The cloud's host names in functions: each library that docs/cloud-names.md lists asks for a
//! name, and the server to which the settings lead it gets the request.

mod bounds;
mod libraries;
mod listener;
mod node;
mod proxy;
mod python;
mod role;
pub(crate) mod server;
mod store;
mod store_role;
mod whole;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::server::Server;
use crate::subprocess::functions::{Functions, folder, function, write};

/// A bucket.
const BUCKET: &str = "chat-1250000000.cos.ap-guangzhou.myqcloud.com";
/// A host that functions push to.
const PUSH: &str = "set-websocket.cb-common.apigateway.tencentyun.com";

/// A function, and the servers to which names lead.
struct Cloud {
    functions: Functions,
    /// In place of the object store.
    cos: Server,
    /// In place of the gateway, for pushes.
    pushes: Server,
    /// In place of the public listener.
    public: Server,
}

impl Cloud {
    /// Runs `code` in `language`, with these lines in the settings of the function and of
    /// `[cloud]`.
    async fn start(language: &str, code: &str, lines: &str, cloud: &str) -> Self {
        let folder = folder();
        write_code(&folder, language, code);
        Self::start_in(folder, language, lines, cloud).await
    }

    async fn start_in(folder: TempDir, language: &str, lines: &str, cloud: &str) -> Self {
        Self::start_with(folder, language, lines, cloud, None).await
    }

    /// The same with `gateway` as the public listener.
    async fn start_with(
        folder: TempDir,
        language: &str,
        lines: &str,
        cloud: &str,
        gateway: Option<&str>,
    ) -> Self {
        let [cos, pushes, public] =
            [Server::start().await, Server::start().await, Server::start().await];
        let text = format!(
            "variables.push = \"{}\"\n[cloud]\ncos = \"{}\"\ngateway = \"{}\"\n{cloud}\n{}",
            pushes.url,
            cos.url,
            gateway.unwrap_or(&public.url),
            function(language, &format!("timeout = \"30s\"\npush_to = [\"api-chat\"]\n{lines}"))
        );
        Self { functions: Functions::start_in(folder, &text).await, cos, pushes, public }
    }

    /// A function, and names that lead to no server.
    async fn without_servers(language: &str, code: &str, cloud: &str) -> Functions {
        let folder = folder();
        write_code(&folder, language, code);
        let function = function(language, "timeout = \"30s\"");
        let text = format!("variables.push = \"http://127.0.0.1:1\"\n[cloud]\n{cloud}\n{function}");
        Functions::start_in(folder, &text).await
    }

    /// What the function `language` returns for `event`.
    async fn returns(&self, language: &str, event: &Value) -> Value {
        self.functions.returns(language, event).await
    }

    /// Has the function ask for each kind of name, in the way `by`. Each server gets its request,
    /// with the name as its host.
    async fn check(&self, language: &str, by: &str, schemes: &[&str]) {
        for scheme in schemes {
            for (host, path, server) in [
                (BUCKET, "/folder/a%20b?prefix=x", &self.cos),
                (PUSH, "/api-old", &self.pushes),
                ("service-a-1.gz.apigw.tencentcs.com", "/release/x", &self.public),
            ] {
                let url = format!("{scheme}://{host}{path}");
                let event = json!({ "by": by, "url": url, "body": "{}" });
                let answer = self.returns(language, &event).await;
                assert_eq!(answer[0], 200, "{by} {url}: {answer}");
                let got = server.next().await;
                assert_eq!((got.method.as_str(), got.body.as_str()), ("POST", "{}"), "{by} {url}");
                if host == PUSH {
                    assert_eq!(got.path, "/api-chat", "{by} {url}");
                } else {
                    assert_eq!((got.path.as_str(), got.host.as_str()), (path, host), "{by} {url}");
                }
            }
        }
    }

    /// Has the function put an object by a library of the cloud. The request comes as it was
    /// signed.
    async fn check_cos(&self, language: &str, by: &str) {
        for scheme in ["http", "https"] {
            let event =
                json!({ "by": by, "url": format!("{scheme}://{BUCKET}/"), "body": "hello" });
            let answer = self.returns(language, &event).await;
            assert_eq!(answer[0], 200, "{by} {scheme}: {answer}");
            let got = self.cos.next().await;
            assert_eq!((got.method.as_str(), got.path.as_str()), ("PUT", "/folder/a%20b"), "{by}");
            assert_eq!((got.host.as_str(), got.body.as_str()), (BUCKET, "hello"), "{by}");
            let signature = got.headers["authorization"].to_str().unwrap();
            assert!(signature.starts_with("q-sign-algorithm=sha1&q-ak=AKID"), "{by}: {signature}");
        }
    }

    async fn log(&self, language: &str) -> String {
        let path = format!("/functions/{language}/logs");
        self.functions.get(&path).await.text().await.unwrap()
    }

    async fn finish(self) {
        self.functions.finish().await;
    }
}

fn write_code(folder: &TempDir, language: &str, code: &str) {
    let file = match language {
        "python" => "python/index.py",
        "node" => "node/index.js",
        "bash" => "bash/bootstrap",
        other => panic!("{other}"),
    };
    write(folder.path(), file, code);
}
