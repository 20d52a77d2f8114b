//! What the object store refuses: each with the cloud's code, and named in the log.

use std::{fs, net::SocketAddr, time::Duration};

use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::{BUCKET, Runs, SECRET_ID, SECRET_KEY, client, end, url, write_settings};
use crate::support::{process, soon};

/// Sends `request` as it is, ends the sending side, and returns the answer.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    soon("the answer", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const HOST: &str = "Host: chat-1250000000.cos.ap-guangzhou.myqcloud.com";

#[tokio::test]
async fn bad_requests_have_the_codes_of_the_cloud_and_are_in_the_log() {
    let runs = Runs::new();
    let store = runs.start().await;
    let address = store.address("internal");
    let long_key = "k".repeat(851);
    let meta = "m".repeat(2049);
    for (head, body, status, code) in [
        (
            "PUT /a HTTP/1.1\r\nHost: other-1.cos.r.myqcloud.com\r\nContent-Length: 1",
            "x",
            404,
            "NoSuchBucket",
        ),
        (
            &*format!("PUT /{long_key} HTTP/1.1\r\n{HOST}\r\nContent-Length: 1"),
            "x",
            400,
            "KeyTooLong",
        ),
        (
            &*format!(
                "PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 1\r\nContent-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="
            ),
            "x",
            400,
            "BadDigest",
        ),
        (
            &*format!("PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 1\r\nContent-MD5: abc"),
            "x",
            400,
            "InvalidDigest",
        ),
        (&*format!("PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 9"), "x", 400, "IncompleteBody"),
        // One would be signed, and the other be stored.
        (
            &*format!(
                "PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 1\r\nX-Cos-Meta-Role: user\r\n\
                 X-Cos-Meta-Role: admin"
            ),
            "x",
            400,
            "InvalidArgument",
        ),
        (&*format!("PUT /a HTTP/1.1\r\n{HOST}"), "", 411, "MissingContentLength"),
        (
            &*format!("PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 6000000000"),
            "",
            400,
            "EntityTooLarge",
        ),
        (
            &*format!("PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 0\r\nx-cos-meta-a: {meta}"),
            "",
            400,
            "MetadataTooLarge",
        ),
        (
            &*format!("PUT /a?acl HTTP/1.1\r\n{HOST}\r\nContent-Length: 0"),
            "",
            501,
            "NotImplemented",
        ),
        (
            &*format!("PATCH /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 0"),
            "",
            405,
            "MethodNotAllowed",
        ),
        (&*format!("GET /?max-keys=x HTTP/1.1\r\n{HOST}"), "", 400, "InvalidArgument"),
        (&*format!("GET /%ff HTTP/1.1\r\n{HOST}"), "", 400, "InvalidURI"),
        ("GET /bucket/a HTTP/1.1\r\nHost: 127.0.0.1", "", 400, "InvalidBucketName"),
        (
            &*format!(
                "POST /?delete HTTP/1.1\r\n{HOST}\r\nContent-Length: 1\r\nContent-MD5: nTnkRUfQyVGMRhvqq77NcQ=="
            ),
            "y",
            400,
            "BadDigest",
        ),
        (
            &*format!("POST /a?uploadId=7 HTTP/1.1\r\n{HOST}\r\nContent-Length: 1"),
            "x",
            400,
            "MalformedXML",
        ),
        (
            &*format!("PUT /a?uploadId=7&partNumber=1 HTTP/1.1\r\n{HOST}\r\nContent-Length: 1"),
            "x",
            404,
            "NoSuchUpload",
        ),
        (
            &*format!("PUT / HTTP/1.1\r\n{HOST}\r\nContent-Length: 0"),
            "",
            409,
            "BucketAlreadyOwnedByYou",
        ),
        // Pages, and names that anybody can point at this machine.
        (
            &*format!("GET / HTTP/1.1\r\n{HOST}\r\nOrigin: https://evil.com"),
            "",
            403,
            "AccessDenied",
        ),
        (
            &*format!("GET / HTTP/1.1\r\n{HOST}\r\nSec-Fetch-Site: cross-site"),
            "",
            403,
            "AccessDenied",
        ),
        ("GET / HTTP/1.1\r\nHost: evil.com", "", 403, "AccessDenied"),
        (
            "GET / HTTP/1.1\r\nHost: chat-1250000000.cos.r.myqcloud.com.evil.com",
            "",
            403,
            "AccessDenied",
        ),
    ] {
        let answer = exchange(address, &format!("{head}\r\n\r\n{body}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
        assert!(answer.contains("x-cos-request-id: "), "{head}: {answer}");
        for element in ["Code", "Message", "Resource", "RequestId", "TraceId"] {
            assert!(answer.contains(&format!("<{element}>")), "{head}: {answer}");
        }
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{head}: {answer}");
        store.logged(code).await;
    }
    let log = store.log();
    assert!(log.contains("other-1") && !log.contains(&long_key), "{log}");
    // Nothing of all that is there.
    let list = client().get(url(address, "")).send().await.unwrap().text().await.unwrap();
    assert!(!list.contains("<Contents>"), "{list}");
    end(store).await;
}

#[tokio::test]
async fn a_request_that_is_not_signed_well_is_refused() {
    let runs = Runs::new();
    let store = runs.start_with_credentials().await;
    let address = store.address("internal");
    let signed = |id: &str, begin: u64, end: u64| {
        format!(
            "q-sign-algorithm=sha1&q-ak={id}&q-sign-time={begin};{end}&q-key-time={begin};{end}\
             &q-header-list=&q-url-param-list=&q-signature=0123456789abcdef"
        )
    };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for (authorization, code, words) in [
        (String::new(), "AccessDenied", "not signed"),
        ("Bearer 0123".to_owned(), "AccessDenied", "not of the form"),
        (signed("AKIDother", now - 1, now + 99), "InvalidAccessKeyId", "not known"),
        (signed(SECRET_ID, now - 99, now - 1), "AccessDenied", "Request has expired"),
        (signed(SECRET_ID, now + 999, now + 9999), "RequestTimeTooSkewed", "clocks"),
        (signed(SECRET_ID, now - 1, now + 99), "SignatureDoesNotMatch", "does not match"),
    ] {
        let request = client().put(url(address, "a")).header("authorization", &authorization);
        let response = request.body("x").send().await.unwrap();
        assert_eq!(response.status(), 403, "{authorization}");
        let text = response.text().await.unwrap();
        assert!(text.contains(&format!("<Code>{code}</Code>")) && text.contains(words), "{text}");
        store.logged(code).await;
    }
    let log = store.log();
    assert!(!log.contains("0123456789abcdef") && !log.contains(SECRET_KEY), "{log}");
    // Anybody may ask for health.
    let health = client().get(format!("http://{address}/healthz")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    end(store).await;
}

#[tokio::test]
async fn a_bucket_may_have_objects_with_the_names_of_probes() {
    let runs = Runs::new();
    let store = runs.start().await;
    let address = store.address("internal");
    let answer = exchange(address, &format!("GET /healthz HTTP/1.1\r\n{HOST}\r\n\r\n")).await;
    assert!(answer.contains("<Code>NoSuchKey</Code>"), "{answer}");
    let answer = exchange(address, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let internal = address.to_string();
    let variables = [("LONGHOLD_COS__LISTEN__INTERNAL", internal.as_str())];
    let check = process::run("cos", &["check"], runs.folder.path(), &variables).await;
    assert_eq!(check.status.code(), Some(0));
    end(store).await;
}

#[tokio::test]
async fn a_folder_has_one_store_and_bad_settings_start_none() {
    let runs = Runs::new();
    let store = runs.start().await;
    let second = process::run("cos", &[], runs.folder.path(), &[]).await;
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stderr.contains("is in use by another process"), "{}", second.stderr);
    end(store).await;
    let open = [("LONGHOLD_COS__LISTEN__INTERNAL", "0.0.0.0:0")];
    let refused = process::run("cos", &[], runs.folder.path(), &open).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("add [[credentials]]"), "{}", refused.stderr);
}

#[tokio::test]
async fn credentials_and_buckets_change_while_the_store_runs() {
    let runs = Runs::new();
    let store = runs.start_with_credentials().await;
    let address = store.address("internal");
    let unsigned = || async { client().get(url(address, "a")).send().await.unwrap().status() };
    assert_eq!(unsigned().await, 403);
    write_settings(
        runs.folder.path(),
        "[[credentials]]\nsecret_id = \"AKIDnew\"\nsecret_key = \"0123456789abcdef\"",
    );
    store.signal(Signal::SIGHUP);
    store.logged("new settings are in use").await;
    let old = format!(
        "q-sign-algorithm=sha1&q-ak={SECRET_ID}&q-sign-time=0;9&q-key-time=0;9&q-header-list=\
         &q-url-param-list=&q-signature=00"
    );
    let response = client().get(url(address, "a")).header("authorization", old).send().await;
    assert!(response.unwrap().text().await.unwrap().contains("InvalidAccessKeyId"));
    // Without any pair those before stay.
    fs::write(
        runs.folder.path().join("cos.toml"),
        "listen.internal = \"127.0.0.1:0\"\nstore.buckets = [\"new-1\"]",
    )
    .unwrap();
    store.signal(Signal::SIGHUP);
    store.logged("those before stay in use").await;
    store.logged("new settings are in use").await;
    assert_eq!(unsigned().await, 403);
    end(store).await;
}

/// A client that sends nothing more is not waited for for ever, and leaves nothing.
#[tokio::test]
async fn a_put_that_breaks_off_leaves_nothing() {
    let runs = Runs::new();
    let store = runs.start().await;
    let address = store.address("internal");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("PUT /a HTTP/1.1\r\n{HOST}\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[0; 500_000]).await.unwrap();
    let incoming = runs.folder.path().join("data/cos/incoming");
    let count = || fs::read_dir(&incoming).unwrap().count();
    soon("a file that is being written", until(|| count() == 1)).await;
    drop(stream);
    soon("the end of the file", until(|| count() == 0)).await;
    assert_eq!(client().get(url(address, "a")).send().await.unwrap().status(), 404);
    let exists = format!("http://{address}/{BUCKET}");
    assert_eq!(client().head(exists).send().await.unwrap().status(), 200);
    end(store).await;
}

async fn until(is: impl Fn() -> bool) {
    while !is() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A list that goes on from a key with a replaced character would leave objects out.
#[tokio::test]
async fn a_page_that_would_end_with_a_key_that_xml_cannot_hold_is_refused() {
    let runs = Runs::new();
    let store = runs.start().await;
    let address = store.address("internal");
    for key in ["a%01", "b"] {
        let put = client().put(url(address, key)).body("x").send().await.unwrap();
        assert_eq!(put.status(), 200, "{key}");
    }
    let list = async |query: &str| {
        let answer = client().get(url(address, query)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, said) = list("?max-keys=1").await;
    assert_eq!(status, 400, "{said}");
    assert!(said.contains("ask with encoding-type=url"), "{said}");
    let (status, page) = list("?max-keys=1&encoding-type=url").await;
    assert_eq!(status, 200);
    assert!(page.contains("<NextMarker>a%01</NextMarker>"), "{page}");
    let (_, rest) = list("?marker=a%01").await;
    assert!(rest.contains("<Key>b</Key>") && !rest.contains("<Key>a"), "{rest}");
    // All at once there is no page to lose.
    assert_eq!(list("").await.0, 200);
    end(store).await;
}
