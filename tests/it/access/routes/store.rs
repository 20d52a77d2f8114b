//! The object store asks for a signature, and for nothing else.

use std::fs;

use http::Method;

use super::{
    credentials::{ALL, PUSH, With, role_key},
    listener::{Listener, plain, send},
    signature,
    table::{METHODS, Who},
};
use crate::support::{
    access::{self, OPERATOR, SERVICE},
    process::Process,
};

/// The paths of an object store: those of all buckets, of one, and of an object.
const PATHS: [&str; 5] = ["/", "/chat-1250000000", "/chat-1250000000/", "/chat-1250000000/a", "/a"];

/// Each operation, and a request that asks for it.
const OPERATIONS: [(&str, Method, &str); 18] = [
    ("list of buckets", Method::GET, "/"),
    ("put of a bucket", Method::PUT, "/chat-1250000000"),
    ("head of a bucket", Method::HEAD, "/chat-1250000000"),
    ("delete of a bucket", Method::DELETE, "/chat-1250000000"),
    ("list of objects", Method::GET, "/chat-1250000000"),
    ("list of uploads", Method::GET, "/chat-1250000000?uploads"),
    ("delete of several objects", Method::POST, "/chat-1250000000?delete"),
    ("get of an object", Method::GET, "/chat-1250000000/a"),
    ("head of an object", Method::HEAD, "/chat-1250000000/a"),
    ("put of an object", Method::PUT, "/chat-1250000000/a"),
    ("copy of an object", Method::PUT, "/chat-1250000000/b"),
    ("delete of an object", Method::DELETE, "/chat-1250000000/a"),
    ("begin of an upload", Method::POST, "/chat-1250000000/a?uploads"),
    ("put of a part", Method::PUT, "/chat-1250000000/a?partNumber=1&uploadId=7"),
    ("copy of a part", Method::PUT, "/chat-1250000000/b?partNumber=1&uploadId=7"),
    ("list of parts", Method::GET, "/chat-1250000000/a?uploadId=7"),
    ("completion of an upload", Method::POST, "/chat-1250000000/a?uploadId=7"),
    ("abort of an upload", Method::DELETE, "/chat-1250000000/a?uploadId=7"),
];

const SOURCE: &str = "x-cos-copy-source";

/// The copied object, and how it is signed.
fn source(operation: &str) -> Option<[&'static str; 2]> {
    let source = ["/chat-1250000000/a", "%2Fchat-1250000000%2Fa"];
    operation.starts_with("copy").then_some(source)
}

#[test]
fn every_operation_of_an_object_store_is_asked_here() {
    let asked: Vec<_> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(asked, cos::operations().collect::<Vec<_>>(), "name each operation here");
}

/// What opens the listeners of the other services opens nothing here: the pair of the role signs,
/// which the tests of the cloud have.
#[tokio::test]
async fn each_request_to_an_object_store_has_to_be_signed() {
    let folder = tempfile::tempdir().unwrap();
    let [service, _] = access::files();
    let settings = format!(
        "listen.internal = \"127.0.0.1:0\"\nstore.buckets = [\"chat-1250000000\"]\n\
         access.service_file = {service:?}\nlog.filter = \"info,cos=debug\"\n"
    );
    fs::write(folder.path().join("cos.toml"), settings).unwrap();
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    let base = format!("http://{}", store.address("internal"));
    let listener = Listener { base, http: plain(), table: &[], nothing: Who::Signed };
    let paths = PATHS.iter().flat_map(|path| METHODS.map(|method| ("request", method, *path)));
    for (operation, method, target) in paths.chain(OPERATIONS) {
        for with in ALL {
            let mut request = listener.request(&method, target, with);
            if let Some([source, _]) = source(operation) {
                request = request.header(SOURCE, source);
            }
            let answer = send(request).await;
            let (status, place) = (answer.status().as_u16(), format!("{method} {target} {with:?}"));
            // `/a` is no bucket, which is said first.
            assert_eq!(status, if target == "/a" { 400 } else { 403 }, "{place}");
            let said = answer.text().await.unwrap();
            let tokens = [PUSH, SERVICE, OPERATOR, &role_key()];
            assert!(!tokens.iter().any(|token| said.contains(token)), "{place}: {said}");
            if with == With::Expired && status == 403 && method != Method::HEAD {
                assert!(said.contains("Request has expired"), "{place}: {said}");
            }
        }
    }
    assert!(!store.log().contains("operation="), "{}", store.log());
    // Each request asks for its operation, and only the signature was missing.
    for (operation, method, target) in OPERATIONS {
        let mut request = listener.request(&method, target, With::Nothing);
        let mut headers = Vec::new();
        if let Some([source, encoded]) = source(operation) {
            request = request.header(SOURCE, source);
            headers.push((SOURCE, encoded));
        }
        let signature = signature::valid(&method, target, &headers);
        let answer = send(request.header("authorization", signature)).await;
        assert_ne!(answer.status(), 403, "{operation}");
        store.logged(&format!("operation=\"{operation}\"")).await;
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(listener.request(&Method::GET, path, With::Nothing)).await.status(), 200);
    }
    assert!(store.stopped().await.success());
}
