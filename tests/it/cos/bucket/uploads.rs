//! Uploads in parts, with their contents in a bucket.

use super::*;

/// The text of an element of an answer.
fn element(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{text}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.replace("&quot;", "").replace('"', "")
}

async fn answer(request: reqwest::RequestBuilder) -> String {
    let answer = soon("an answer", request.send()).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_are_sent_and_copied_become_an_object() {
    let (s3, folder) = (S3::start(SECRET), tempfile::tempdir().unwrap());
    let store = start(&folder, &s3).await;
    let (address, large) = (store.address("internal"), large());
    assert_eq!(put(&store, "source", large.clone()).await, 200);
    let target = url(address, "target");
    let begun = client().post(format!("{target}?uploads")).header("content-length", 0);
    let upload = element(&answer(begun).await, "UploadId");
    let part = |number: u8| format!("{target}?partNumber={number}&uploadId={upload}");
    // More than one request to the bucket.
    let sent = client().put(part(1)).body(large[..9 << 20].to_vec()).send();
    let sent = soon("an answer", sent).await.unwrap();
    let first = sent.headers()["etag"].to_str().unwrap().replace('"', "");
    let range = (1 << 20) + 7..(12 << 20);
    let copied = client()
        .put(part(2))
        .header("content-length", 0)
        .header("x-cos-copy-source", "chat-1250000000.cos.ap-guangzhou.myqcloud.com/source")
        .header("x-cos-copy-source-range", format!("bytes={}-{}", range.start, range.end - 1));
    let second = element(&answer(copied).await, "ETag");
    let parts: String = [(1, first), (2, second)]
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    answer(client().post(format!("{target}?uploadId={upload}")).body(document)).await;
    let expected = [&large[..9 << 20], &large[range]].concat();
    assert_eq!(get(&store, "target", "bytes=0-").await, (206, expected));
    assert_eq!(s3.count("contents"), 3);
    let deleted = client().delete(&target).send();
    assert_eq!(soon("a delete", deleted).await.unwrap().status(), 204);
    end(store).await;
    assert_eq!(s3.count("contents"), 1);
}
