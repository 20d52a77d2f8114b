//! Whom the listener of an instance serves with the cloud's names.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;

use super::{BUCKET, Cloud, libraries, write_code};
use crate::{
    subprocess::functions::{folder, has},
    support::machine::is_root,
};

const CODE: &str = include_str!("index.py");

/// It is no proxy for others, and no server of the names.
#[tokio::test]
async fn no_other_process_gets_anything() {
    if !has("python") {
        return;
    }
    let cloud = Cloud::start("python", CODE, "", "").await;
    let event = json!({ "eval": "os.environ['SCF_RUNTIME_API_PORT']" });
    let port = cloud.returns("python", &event).await.as_str().unwrap().to_owned();
    let url = format!("http://127.0.0.1:{port}");
    let stranger = || reqwest::Client::builder().tls_certs_only([]);
    let asked = stranger().build().unwrap().get(&url).header("host", BUCKET).send().await;
    assert!(asked.is_err(), "{asked:?}");
    for scheme in ["http", "https"] {
        let proxy = reqwest::Proxy::all(&url).unwrap();
        let client = stranger().proxy(proxy).build().unwrap();
        let asked = client.get(format!("{scheme}://{BUCKET}/")).send().await;
        assert!(asked.is_err(), "{asked:?}");
    }
    assert!(cloud.cos.is_idle().await);
    cloud.finish().await;
}

/// The files have no secret, and are needed in the folders of an instance too.
#[tokio::test]
async fn functions_of_other_users_trust_the_authority_until_the_runner_ends() {
    if !has("python") {
        return;
    }
    let users = if is_root() { &["", "user = \"nobody\""][..] } else { &[""][..] };
    for user in users {
        for private_tmp in [true, false] {
            let folder = folder();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            write_code(&folder, "python", CODE);
            let lines = format!("{user}\nprivate_tmp = {private_tmp}");
            let cloud = Cloud::start_in(folder, "python", &lines, "").await;
            cloud.check("python", "urllib", &["https"]).await;
            let event = json!({ "eval": "os.environ['SSL_CERT_FILE']" });
            let file = cloud.returns("python", &event).await.as_str().unwrap().to_owned();
            assert!(Path::new(&file).exists(), "{file}");
            cloud.finish().await;
            assert!(!Path::new(&file).exists(), "{file}");
        }
    }
}

const TALKS: &str = r#"
from websockets.sync.client import connect

def main_handler(event, context):
    with connect(event["url"], proxy=None, open_timeout=20) as socket:
        socket.send(event["body"])
        return socket.recv(20)
"#;

#[tokio::test]
async fn a_websocket_leads_to_the_public_listener() {
    let Some(interpreter) = libraries::python() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            let message = socket.next().await.unwrap().unwrap();
            socket.send(message).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        }
    });
    let folder = folder();
    write_code(&folder, "python", TALKS);
    let cloud = Cloud::start_with(folder, "python", &interpreter, "", Some(&url)).await;
    for scheme in ["ws", "wss"] {
        let url = format!("{scheme}://service-a-1.gz.apigw.tencentcs.com/release/x");
        let event = json!({ "url": url, "body": scheme });
        assert_eq!(cloud.returns("python", &event).await, scheme);
    }
    serving.await.unwrap();
    cloud.finish().await;
}
