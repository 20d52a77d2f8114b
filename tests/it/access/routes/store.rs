//! The object store asks for a signature, and for nothing else.

use std::fs;

use http::Method;

use super::{
    credentials::{ALL, PUSH, With, role_key},
    listener::{Listener, plain, send},
    table::{METHODS, Who},
};
use crate::support::{
    access::{self, OPERATOR, SERVICE},
    process::Process,
};

/// The paths of an object store: those of all buckets, of one, and of an object.
const STORE: [&str; 5] = ["/", "/chat-1250000000", "/chat-1250000000/", "/chat-1250000000/a", "/a"];

/// What opens the listeners of the other services opens nothing here: the pair of the role signs,
/// which the tests of the cloud have.
#[tokio::test]
async fn each_request_to_an_object_store_has_to_be_signed() {
    let folder = tempfile::tempdir().unwrap();
    let [service, _] = access::files();
    let settings = format!(
        "listen.internal = \"127.0.0.1:0\"\nstore.buckets = [\"chat-1250000000\"]\n\
         access.service_file = {service:?}\n"
    );
    fs::write(folder.path().join("cos.toml"), settings).unwrap();
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    let base = format!("http://{}", store.address("internal"));
    let listener = Listener { base, http: plain(), table: &[], nothing: Who::Signed };
    for (path, method) in STORE.iter().flat_map(|path| METHODS.map(|method| (path, method))) {
        for with in ALL {
            let answer = send(listener.request(&method, path, with)).await;
            let (status, place) = (answer.status().as_u16(), format!("{method} {path} {with:?}"));
            // A method that the store does not have is refused as such.
            assert!(matches!(status, 400 | 403 | 405), "{place}: {status}");
            let said = answer.text().await.unwrap();
            let tokens = [PUSH, SERVICE, OPERATOR, &role_key()];
            assert!(!tokens.iter().any(|token| said.contains(token)), "{place}: {said}");
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(listener.request(&Method::GET, path, With::Nothing)).await.status(), 200);
    }
    assert!(store.stopped().await.success());
}
