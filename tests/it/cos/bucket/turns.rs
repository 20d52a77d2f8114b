//! Work with the bucket does not keep requests waiting that do without it.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_does_not_answer_leaves_heads_lists_and_deletes_alone() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    let address = store.address("internal");
    for key in ["a", "b"] {
        assert_eq!(put(&store, key, b"1".to_vec()).await, 200);
    }
    s3.hold("PUT ");
    let puts: Vec<_> = (0..20)
        .map(|number| {
            let request = client().put(url(address, &format!("slow-{number}")));
            tokio::spawn(request.body("slow").send())
        })
        .collect();
    s3.until_held(16).await;
    let head = client().head(url(address, "a")).send();
    assert_eq!(soon("a head", head).await.unwrap().status(), 200);
    let list = client().get(url(address, "")).send();
    assert_eq!(soon("a list", list).await.unwrap().status(), 200);
    assert_eq!(get(&store, "a", "bytes=0-").await, (206, b"1".to_vec()));
    let deleted = client().delete(url(address, "b")).send();
    assert_eq!(soon("a delete", deleted).await.unwrap().status(), 204);
    // Those beyond 16 wait for their turn.
    assert_eq!(s3.held(), 16);
    s3.let_go();
    for put in puts {
        assert_eq!(soon("a put", put).await.unwrap().unwrap().status(), 200);
    }
    end(store).await;
    assert_eq!(s3.count("contents"), 21);
}
