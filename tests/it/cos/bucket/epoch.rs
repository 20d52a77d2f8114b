//! Whose the bucket is: of one catalog, and of its last process only. Copies of the catalog are
//! refused.

use std::fs;

use super::*;

/// A copy of the catalog in another folder, as a backup has it.
fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().join("data/cos");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(folder.join("data/cos")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    copy
}

/// The epoch that a refusal names.
fn epoch_in(refusal: &str) -> String {
    let (_, rest) = refusal.split_once("take_over = \"").unwrap_or_else(|| panic!("{refusal}"));
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_old_copy_of_a_catalog_is_refused_and_removes_nothing() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    let copy = copied(folder.path());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "b", b"2".to_vec()).await, 200);
    end(store).await;
    write(copy.path(), &s3);
    let epoch = epoch_in(&refusal(&copy).await);
    assert_eq!(s3.count("contents"), 2);

    // It is restored on purpose. What it does not name stays, also after another start.
    for _ in 0..2 {
        write_with(copy.path(), &s3, &format!("take_over = \"{epoch}\""));
        let store = Process::start("cos", &[], copy.path(), &[]).await;
        assert_eq!(get(&store, "a", "bytes=0-").await, (206, b"1".to_vec()));
        assert_eq!(get(&store, "b", "bytes=0-").await.0, 404);
        end(store).await;
        assert_eq!(s3.count("contents"), 2);
    }
    let other = epoch_in(&refusal(&folder).await);
    assert_ne!(epoch, other);
    // An epoch that is over opens nothing.
    write_with(folder.path(), &s3, &format!("take_over = \"{epoch}\""));
    refusal(&folder).await;
}

#[tokio::test]
async fn a_store_whose_bucket_is_taken_over_changes_nothing_any_more() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    let copy = copied(folder.path());
    let store = start(&folder, &s3).await;
    write(copy.path(), &s3);
    let epoch = epoch_in(&refusal(&copy).await);
    write_with(copy.path(), &s3, &format!("take_over = \"{epoch}\""));
    let other = Process::start("cos", &[], copy.path(), &[]).await;
    store.logged("another process has taken the bucket of the contents over").await;
    let address = store.address("internal");
    let ready = client().get(format!("http://{address}/readyz")).send();
    assert_eq!(soon("an answer", ready).await.unwrap().status(), 503);
    assert_eq!(put(&store, "b", b"2".to_vec()).await, 500);
    let deleted = client().delete(url(address, "a")).send();
    assert_eq!(soon("an answer", deleted).await.unwrap().status(), 500);
    end(store).await;
    assert_eq!(get(&other, "a", "bytes=0-").await, (206, b"1".to_vec()));
    end(other).await;
    assert_eq!(s3.count("contents"), 1);
}

/// A copy that was made while the store ran is refused too when objects have been put since.
#[tokio::test]
async fn the_epoch_changes_while_objects_are_put() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    let copy = copied(folder.path());
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    // At the start, and after the change.
    s3.until_answered_times("200 PUT /bucket/chat/online/owner", 2).await;
    store.signal(Signal::SIGKILL);
    store.ended().await;
    write(copy.path(), &s3);
    epoch_in(&refusal(&copy).await);
    assert_eq!(s3.count("contents"), 1);
    end(start(&folder, &s3).await).await;
    assert_eq!(s3.count("contents"), 1);
}

#[tokio::test]
async fn a_service_without_conditions_is_enough() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    s3.lack("if-match");
    end(start(&folder, &s3).await).await;
    let copy = copied(folder.path());
    let store = start(&folder, &s3).await;
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    end(store).await;
    assert!(s3.answered().iter().any(|line| line.starts_with("501 PUT ")));
    write(copy.path(), &s3);
    epoch_in(&refusal(&copy).await);
}
