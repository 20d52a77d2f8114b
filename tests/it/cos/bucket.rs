//! The contents in a bucket of another object store, with the S3 protocol.

mod epoch;
mod place;
mod removals;
mod turns;
mod uploads;

use std::path::Path;

use nix::sys::signal::Signal;
use reqwest::StatusCode;
use tempfile::TempDir;

use super::server::{client, end, url, write_settings};
use crate::support::{
    process::{Process, run},
    s3::S3,
    soon,
};

const SECRET: &str = "secret-of-the-bucket";

/// Writes settings of a store with its contents in `s3`.
fn write(folder: &Path, s3: &S3) {
    write_with(folder, s3, "");
}

/// Like `write`, with more keys of the table.
fn write_with(folder: &Path, s3: &S3, keys: &str) {
    let [endpoint, bucket] = s3.place();
    let table = format!(
        "[store.contents]\nurl = \"{bucket}\"\nendpoint = \"{endpoint}\"\naccess_key_id = \"key\"\n\
         secret_access_key = \"{SECRET}\"\n{keys}\n"
    );
    write_settings(folder, &table);
}

async fn start(folder: &TempDir, s3: &S3) -> Process {
    write(folder.path(), s3);
    Process::start("cos", &[], folder.path(), &[]).await
}

/// What a store says that does not start.
async fn refusal(folder: &TempDir) -> String {
    let exit = run("cos", &[], folder.path(), &[]).await;
    assert_eq!(exit.status.code(), Some(1), "{}", exit.stderr);
    exit.stderr
}

/// 20 MiB, which are several requests of an upload.
fn large() -> Vec<u8> {
    (0..20_u32 << 20).map(|number| (number % 251) as u8).collect()
}

async fn put(store: &Process, key: &str, body: Vec<u8>) -> StatusCode {
    let length = body.len();
    let request = client().put(url(store.address("internal"), key)).body(body);
    // Not sent by itself with an empty body.
    let request = request.header("content-length", length);
    soon("a put", request.send()).await.unwrap().status()
}

async fn get(store: &Process, key: &str, range: &str) -> (u16, Vec<u8>) {
    let request = client().get(url(store.address("internal"), key)).header("range", range);
    let answer = soon("a get", request.send()).await.unwrap();
    (answer.status().as_u16(), soon("its body", answer.bytes()).await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_with_contents_in_a_bucket_are_as_they_were_put() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    let large = large();
    for (key, body) in
        [("small", b"hello".to_vec()), ("empty", Vec::new()), ("large", large.clone())]
    {
        assert_eq!(put(&store, key, body).await, 200, "{key}");
    }
    // An empty content is no object.
    assert_eq!(s3.count("contents"), 2);
    assert_eq!(get(&store, "small", "bytes=1-3").await, (206, b"ell".to_vec()));
    let range = (3 << 20) + 5..(9 << 20);
    let asked = format!("bytes={}-{}", range.start, range.end - 1);
    assert_eq!(get(&store, "large", &asked).await, (206, large[range].to_vec()));
    let copy = client()
        .put(url(store.address("internal"), "copy"))
        .header("x-cos-copy-source", "chat-1250000000.cos.ap-guangzhou.myqcloud.com/large")
        .send();
    assert_eq!(soon("a copy", copy).await.unwrap().status(), 200);
    copies_a_range(&store, &s3, &large).await;
    let deleted = client().delete(url(store.address("internal"), "large")).send();
    assert_eq!(soon("a delete", deleted).await.unwrap().status(), 204);
    end(store).await;
    // What was removed is gone when the process has ended.
    assert_eq!(s3.count("contents"), 2);

    let store = start(&folder, &s3).await;
    assert_eq!(get(&store, "copy", "bytes=0-").await, (206, large));
    assert_eq!(get(&store, "large", "bytes=0-").await.0, 404);
    end(store).await;
}

/// Copies 5 MiB of the object `large` into a part, and checks the copy. The bucket is asked for
/// 1 MiB at a time.
async fn copies_a_range(store: &Process, s3: &S3, large: &[u8]) {
    let address = store.address("internal");
    let begun = client().post(url(address, "range?uploads")).header("content-length", 0).send();
    let begun = soon("an upload", begun).await.unwrap().text().await.unwrap();
    let (_, upload) = begun.split_once("<UploadId>").unwrap();
    let (upload, _) = upload.split_once("</UploadId>").unwrap();
    let before = s3.answered().len();
    let range = 3..(5 << 20) + 3;
    let copied = client()
        .put(url(address, &format!("range?partNumber=1&uploadId={upload}")))
        .header("content-length", 0)
        .header("x-cos-copy-source", "chat-1250000000.cos.ap-guangzhou.myqcloud.com/large")
        .header("x-cos-copy-source-range", format!("bytes={}-{}", range.start, range.end - 1))
        .send();
    let copied = soon("a copied part", copied).await.unwrap().text().await.unwrap();
    let read = s3.answered().split_off(before);
    assert_eq!(read.iter().filter(|line| line.starts_with("206 GET")).count(), 5, "{read:?}");
    let (_, etag) = copied.split_once("<ETag>").unwrap();
    let (etag, _) = etag.split_once("</ETag>").unwrap();
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
         </CompleteMultipartUpload>"
    );
    let completed = client().post(url(address, &format!("range?uploadId={upload}"))).body(parts);
    assert_eq!(soon("the upload", completed.send()).await.unwrap().status(), 200);
    assert_eq!(get(store, "range", "bytes=0-").await, (206, large[range].to_vec()));
    let deleted = client().delete(url(address, "range")).send();
    assert_eq!(soon("a delete", deleted).await.unwrap().status(), 204);
}

/// Killed at any time, the store has what was acknowledged, and what nothing names is removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_store_has_all_that_it_acknowledged_and_leaves_nothing_in_its_bucket() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    for round in 0..3_usize {
        let store = start(&folder, &s3).await;
        let keys: Vec<_> = (0..10).map(|number| format!("{round}-{number}")).collect();
        for key in &keys {
            assert_eq!(put(&store, key, key.clone().into_bytes()).await, 200);
        }
        let address = store.address("internal");
        let pending: Vec<_> = (0..8)
            .map(|number| {
                let request = client().put(url(address, &format!("pending-{number}")));
                tokio::spawn(request.body(vec![7; 9 << 20]).send())
            })
            .collect();
        let uploads = (round + 1) * 2;
        s3.until_answered_times("?uploadId=", uploads).await;
        store.signal(Signal::SIGKILL);
        store.ended().await;
        for put in pending {
            let _ = put.await.unwrap();
        }
    }
    let store = start(&folder, &s3).await;
    let listed = client().get(url(store.address("internal"), "")).send().await.unwrap();
    let listed = listed.text().await.unwrap();
    let committed = listed.matches("<Key>").count();
    for (round, number) in (0..3).flat_map(|round| (0..10).map(move |number| (round, number))) {
        let key = format!("{round}-{number}");
        assert_eq!(get(&store, &key, "bytes=0-").await, (206, key.into_bytes()));
    }
    end(store).await;
    assert_eq!(s3.count("contents"), committed);
}

#[tokio::test]
async fn a_bucket_is_of_one_catalog_and_has_to_be_reached() {
    let (mut s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    // A new catalog names none of the objects, and would remove them.
    let other = tempfile::tempdir().unwrap();
    write(other.path(), &s3);
    let exit = run("cos", &[], other.path(), &[]).await;
    assert!(!exit.status.success());
    assert!(exit.stderr.contains("is not of the catalog in store.dir"), "{}", exit.stderr);
    assert_eq!(s3.count("contents"), 1);
    // A secret that is wrong is said at the start, and is not shown.
    s3.stop().await;
    s3.start_again("another-secret");
    let exit = run("cos", &[], folder.path(), &[]).await;
    assert!(!exit.status.success());
    assert!(exit.stderr.contains("store.contents.url"), "{}", exit.stderr);
    assert!(!exit.stderr.contains(SECRET), "{}", exit.stderr);
}

/// The answer says that it is the store's fault, and later puts work.
#[tokio::test]
async fn a_bucket_that_is_away_fails_requests_and_loses_nothing() {
    let (mut s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    s3.stop().await;
    assert_eq!(put(&store, "b", b"2".to_vec()).await, 500);
    s3.start_again(SECRET);
    assert_eq!(get(&store, "b", "bytes=0-").await.0, 404);
    assert_eq!(get(&store, "a", "bytes=0-").await, (206, b"1".to_vec()));
    assert_eq!(put(&store, "b", b"2".to_vec()).await, 200);
    end(store).await;
}
