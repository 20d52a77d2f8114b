//! How the program reaches the bucket.

use super::*;

/// The key of the settings that leads to the bucket is named, not that of the folder.
#[tokio::test]
async fn a_bucket_that_cannot_be_listed_is_named_at_the_start() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    end(start(&folder, &s3).await).await;
    s3.refuse("list-type=2");
    let said = refusal(&folder).await;
    assert!(
        said.contains("could not use the bucket bucket, which store.contents.url sets"),
        "{said}"
    );
    assert!(!said.contains("store.dir"), "{said}");
}

#[tokio::test]
async fn the_bucket_is_reached_without_a_proxy_of_the_environment() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    write(folder.path(), &s3);
    let variables = ["http_proxy", "https_proxy", "all_proxy"].map(|it| (it, "http://127.0.0.1:1"));
    let store = Process::start("cos", &[], folder.path(), &variables).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
}
