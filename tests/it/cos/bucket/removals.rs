//! Contents that nothing names any more are removed from the bucket beside the requests.

use super::*;

/// Puts objects, and deletes them under this rule, each with a request.
async fn put_and_delete(store: &Process, s3: &S3, count: usize, rule: impl FnOnce(&S3)) {
    let keys: Vec<_> = (0..count).map(|number| format!("{number}")).collect();
    for key in &keys {
        assert_eq!(put(store, key, key.clone().into_bytes()).await, 200);
    }
    rule(s3);
    for key in keys {
        let deleted = client().delete(url(store.address("internal"), &key)).send();
        assert_eq!(soon("an answer", deleted).await.unwrap().status(), 204);
    }
}

#[tokio::test]
async fn eight_contents_are_removed_at_once_for_all_changes_together() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    put_and_delete(&store, &s3, 30, |s3| s3.hold("DELETE ")).await;
    s3.until_held(8).await;
    // A request that is answered after all that were sent before.
    assert_eq!(put(&store, "a", b"1".to_vec()).await, 200);
    assert_eq!(s3.held(), 8);
    s3.let_go();
    end(store).await;
    assert_eq!(s3.count("contents"), 1);
}

#[tokio::test]
async fn removals_that_fail_are_one_line_and_done_at_the_next_start() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    put_and_delete(&store, &s3, 30, |s3| s3.refuse("DELETE ")).await;
    s3.until_answered_times("403 DELETE ", 30).await;
    store.signal(Signal::SIGTERM);
    let log = store.ended_with_log().await;
    assert_eq!(log.matches("could not be removed").count(), 1, "{log}");
    assert_eq!(s3.count("contents"), 30);
    s3.let_go();
    end(start(&folder, &s3).await).await;
    assert_eq!(s3.count("contents"), 0);
}
