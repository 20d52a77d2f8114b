//! Where the contents are: the catalog knows the place, and the program reaches it.

use std::fs;

use super::*;

#[tokio::test]
async fn a_store_with_objects_refuses_another_place_for_contents() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let [_, place] = s3.place();
    // With nothing in it any place will do.
    write_settings(folder.path(), "");
    end(Process::start("cos", &[], folder.path(), &[]).await).await;
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    write_settings(folder.path(), "");
    let said = refusal(&folder).await;
    assert!(said.contains(&format!("are in {place}, and")), "{said}");
    write(folder.path(), &s3);
    let file = folder.path().join("cos.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&place, "s3://bucket/other")).unwrap();
    let said = refusal(&folder).await;
    assert!(said.contains("s3://bucket/other"), "{said}");
    assert!(said.contains(&format!("are in {place}, and")), "{said}");
    end(start(&folder, &s3).await).await;

    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    write_settings(folder.path(), "");
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    write(folder.path(), &s3);
    let said = refusal(&folder).await;
    assert!(said.contains("are in store.dir, and"), "{said}");
}

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
