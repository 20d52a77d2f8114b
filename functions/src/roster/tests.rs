//! Rosters in memory, in files and in a scripted bucket, with the same operations.

use std::{error::Error, fs};

use futures_util::future::join_all;
use http::Method;
use tempfile::TempDir;

use super::{Roster, RosterError};
use crate::{
    Environment, FunctionError,
    testing::{ClosedPort, FakeGateway},
};

fn roster(url: &str) -> Roster {
    Roster::start(&Environment::from([("ROSTER_URL", url)])).unwrap()
}

fn in_directory(directory: &TempDir) -> Roster {
    roster(directory.path().join("made/on start").to_str().unwrap())
}

/// The behavior that all stores must have.
async fn check(roster: &Roster) {
    assert!(roster.list().await.unwrap().is_empty());
    let ids: Vec<_> = (0..50).map(|n| format!("{n:02}-_+AZaz09==")).collect();
    for added in join_all(ids.iter().map(|id| roster.add(id))).await {
        added.unwrap();
    }
    assert_eq!(roster.list().await.unwrap(), ids);

    roster.add(&ids[0]).await.unwrap();
    for _ in 0..2 {
        roster.remove(&ids[1]).await.unwrap();
    }
    roster.remove_all(ids[1..49].to_vec()).await.unwrap();
    assert_eq!(roster.list().await.unwrap(), [ids[0].as_str(), ids[49].as_str()]);
}

#[tokio::test]
async fn a_roster_in_memory_keeps_ids() {
    check(&roster("memory:///keeps-ids")).await;
}

#[tokio::test]
async fn a_roster_in_files_keeps_ids() {
    let directory = TempDir::new().unwrap();
    check(&in_directory(&directory)).await;
}

#[tokio::test]
async fn rosters_with_the_same_url_share_their_ids_and_others_do_not() {
    let directory = TempDir::new().unwrap();
    in_directory(&directory).add("a==").await.unwrap();
    assert_eq!(in_directory(&directory).list().await.unwrap(), ["a=="]);

    roster("memory:///one").add("a==").await.unwrap();
    assert_eq!(roster("memory:///one").list().await.unwrap(), ["a=="]);
    assert!(roster("memory:///other").list().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_id_that_could_be_a_path_is_an_error() {
    let directory = TempDir::new().unwrap();
    let roster = in_directory(&directory);
    let long = "a".repeat(129);
    for id in ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a#1", "a%2Fb", "a b", "\u{e9}", &long] {
        let error = roster.add(id).await.unwrap_err();
        assert!(matches!(error, RosterError::BadId), "{id}: {error}");
        let error = FunctionError::from(roster.remove(id).await.unwrap_err());
        assert!(matches!(error, FunctionError::BadEvent(_)), "{id}: {error}");
    }
    // One bad id does not prevent the removal of the others.
    roster.add("a==").await.unwrap();
    roster.remove_all(["../a".to_owned(), "a==".to_owned()]).await.unwrap_err();
    assert!(roster.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn only_ids_are_listed() {
    let directory = TempDir::new().unwrap();
    let roster = in_directory(&directory);
    roster.add("a==").await.unwrap();
    let path = directory.path().join("made/on start");
    // A file that is being written, a file of the user, and a file in a subdirectory.
    fs::write(path.join("b==#1"), "").unwrap();
    fs::write(path.join(".keep"), "").unwrap();
    fs::create_dir(path.join("c==")).unwrap();
    fs::write(path.join("c==/d=="), "").unwrap();
    assert_eq!(roster.list().await.unwrap(), ["a=="]);
}

#[tokio::test]
async fn an_operation_on_an_unreachable_roster_raises() {
    let directory = TempDir::new().unwrap();
    let roster = in_directory(&directory);
    fs::remove_dir_all(directory.path().join("made")).unwrap();
    fs::write(directory.path().join("made"), "").unwrap();

    let error = roster.add("a==").await.unwrap_err();
    assert_eq!(error.to_string(), "roster could not add a connection");
    assert!(matches!(error.into(), FunctionError::Raised(_)));
    let environment =
        Environment::from([("ROSTER_URL", directory.path().join("made/x").to_str().unwrap())]);
    Roster::check(&environment).expect("a check does not touch the disk");
    let error = Roster::start(&environment).err().unwrap();
    assert_eq!(error.key(), "ROSTER_URL");
    assert!(error.source().is_some());
}

fn bucket(endpoint: &str) -> Environment {
    Environment::from([
        ("ROSTER_URL", "s3://bucket/chat"),
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_REGION", "ap-guangzhou"),
    ])
}

#[tokio::test]
async fn a_roster_in_a_bucket_uses_the_credentials_of_the_function() {
    let page = |ids: &str, more: &str| {
        let list = format!("<ListBucketResult>{ids}{more}</ListBucketResult>");
        (200, format!("<?xml version=\"1.0\"?>{list}"))
    };
    let object = |key: &str| {
        let time = "<LastModified>2026-01-01T00:00:00.000Z</LastModified>";
        format!("<Contents><Key>{key}</Key>{time}<Size>0</Size><ETag>e</ETag></Contents>")
    };
    let more = "<NextContinuationToken>next</NextContinuationToken>";
    let store = FakeGateway::start([
        (200, String::new()),
        page(&object("chat/b=="), more),
        page(&object("chat/a=="), ""),
        (204, String::new()),
        (404, String::new()),
    ])
    .await;
    let endpoint = store.url().trim_end_matches("/api-chat");
    let roster = Roster::start(&bucket(endpoint)).unwrap();

    roster.add("a==").await.unwrap();
    assert_eq!(roster.list().await.unwrap(), ["a==", "b=="]);
    roster.remove("a==").await.unwrap();
    roster.remove("a==").await.unwrap();

    let requests = store.requests();
    assert_eq!(requests[0].method(), Method::PUT);
    assert_eq!(requests[0].uri().path(), "/bucket/chat/a%3D%3D");
    let authorization = requests[0].headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("Credential=key/"), "{authorization}");
    assert!(authorization.contains("/ap-guangzhou/s3/"), "{authorization}");
    assert!(requests[1].uri().query().unwrap().contains("prefix=chat%2F"));
    assert!(requests[2].uri().query().unwrap().contains("continuation-token=next"));
    assert_eq!(requests[3].method(), Method::DELETE);
}

#[tokio::test]
async fn an_error_answer_of_the_bucket_raises() {
    let denied = || (403, "<Error><Code>AccessDenied</Code></Error>".to_owned());
    let store = FakeGateway::start([denied(), denied(), denied()]).await;
    let endpoint = store.url().trim_end_matches("/api-chat");
    let roster = Roster::start(&bucket(endpoint)).unwrap();
    roster.add("a==").await.unwrap_err();
    roster.remove("a==").await.unwrap_err();
    roster.list().await.unwrap_err();
}

#[tokio::test]
async fn a_bad_setting_of_a_bucket_is_named_by_its_key() {
    fn check(key: &str, mut values: std::collections::BTreeMap<String, String>, value: &str) {
        values.insert(key.to_owned(), value.to_owned());
        let environment = Environment::from(values);
        let started = Roster::start(&environment).map(drop);
        for error in [Roster::check(&environment), started].map(Result::unwrap_err) {
            assert_eq!(error.key(), key);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
    let closed = ClosedPort::hold();
    let values: std::collections::BTreeMap<_, _> = [
        ("ROSTER_URL", "s3://bucket/chat"),
        ("AWS_ENDPOINT", closed.url()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    assert!(Roster::start(&Environment::from(values.clone())).is_ok());
    Roster::check(&Environment::from(values.clone())).unwrap();
    check("ROSTER_URL", values.clone(), "redis://host/0");
    check("AWS_ENDPOINT", values.clone(), "hunter2:9000");
    check("AWS_ACCESS_KEY_ID", values.clone(), "");
    check("AWS_SECRET_ACCESS_KEY", values.clone(), "");
    check("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", values, "perhaps");
}
