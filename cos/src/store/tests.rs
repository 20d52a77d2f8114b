use std::{fs, path::Path};

use super::*;
use crate::{
    request::{ListParts, ListUploads},
    settings::{StoreSettings, StoreSync},
};

const BUCKET: &str = "chat-125";

fn settings(folder: &Path) -> StoreSettings {
    StoreSettings {
        dir: folder.join("cos"),
        contents: None,
        sync: StoreSync::Process,
        buckets: vec![BUCKET.to_owned()],
        region: "r".to_owned(),
        owner: "o".to_owned(),
    }
}

async fn content(store: &Store, bytes: &[u8]) -> Content {
    let mut draft = store.draft();
    for piece in bytes.chunks(50_000) {
        draft.write(piece).await.unwrap();
    }
    draft.finish().await.unwrap()
}

async fn put(store: &Store, key: &str, bytes: &[u8]) -> Stored {
    let metadata = vec![("content-type".to_owned(), "a/b".to_owned())];
    let object = NewObject { content: content(store, bytes).await, metadata };
    store.put([BUCKET, key], object, Overwrite::Yes).await.unwrap()
}

async fn read(held: &Arc<HeldObject>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < held.object().size {
        bytes.extend(held.read(bytes.len() as u64, 70_000).await.unwrap());
    }
    bytes
}

async fn get(store: &Store, key: &str) -> Vec<u8> {
    read(&Arc::new(store.get(BUCKET, key).await.unwrap())).await
}

/// How many files with contents there are, whole ones and those being written.
fn files(folder: &Path) -> usize {
    let count = |folder: &Path| fs::read_dir(folder).unwrap().count();
    let contents = fs::read_dir(folder.join("cos/contents")).unwrap();
    let whole: usize = contents.map(|entry| count(&entry.unwrap().path())).sum();
    whole + count(&folder.join("cos/incoming"))
}

#[tokio::test]
async fn an_object_is_as_it_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    for bytes in [vec![], b"123456789".to_vec(), vec![7; 300_000]] {
        put(&store, "a", &bytes).await;
        assert_eq!(get(&store, "a").await, bytes);
        assert_eq!(files(folder.path()), usize::from(!bytes.is_empty()));
    }
    let stored = put(&store, "a", b"123456789").await;
    assert_eq!(stored.etag, "25f9e794323b453885f5181f1b624d0b");
    assert_eq!(stored.crc, 0x995d_c9bb_df19_39fa);
    store.remove(BUCKET, vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!(store.get(BUCKET, "a").await.unwrap_err().code, Code::NoSuchKey);
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn a_reader_reads_on_when_the_object_is_replaced_or_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    let bytes = vec![1; 300_000];
    put(&store, "a", &bytes).await;
    let first = Arc::new(store.get(BUCKET, "a").await.unwrap());
    put(&store, "a", b"other").await;
    let second = Arc::new(store.get(BUCKET, "a").await.unwrap());
    store.remove(BUCKET, vec!["a".to_owned()]).await.unwrap();
    assert_eq!(read(&first).await, bytes);
    assert_eq!(read(&second).await, b"other");
    assert_eq!(files(folder.path()), 2);
    drop((first, second));
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn what_is_not_committed_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    drop(content(&store, b"content").await);
    let mut draft = store.draft();
    draft.write(&[0; 300_000]).await.unwrap();
    draft.write(&[0; 300_000]).await.unwrap();
    assert_eq!(files(folder.path()), 1);
    drop(draft);
    let object = NewObject { content: content(&store, b"x").await, metadata: Vec::new() };
    let refused = store.put(["other-1", "a"], object, Overwrite::Yes).await.unwrap_err();
    assert_eq!(refused.code, Code::NoSuchBucket);
    put(&store, "a", b"1").await;
    let object = NewObject { content: content(&store, b"2").await, metadata: Vec::new() };
    let refused = store.put([BUCKET, "a"], object, Overwrite::No).await.unwrap_err();
    assert_eq!(refused.code, Code::FileAlreadyExists);
    assert_eq!(get(&store, "a").await, b"1");
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test]
async fn the_next_start_removes_what_a_killed_process_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    put(&store, "a", b"1").await;
    let error = Store::open(settings(folder.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(store);
    fs::write(folder.path().join("cos/incoming/0123"), "half").unwrap();
    fs::write(folder.path().join("cos/contents/01/0123"), "not committed").unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    assert_eq!(files(folder.path()), 1);
    assert_eq!(get(&store, "a").await, b"1");
}

#[tokio::test]
async fn a_copy_outlives_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    put(&store, "a", b"1").await;
    let held = Arc::new(store.get(BUCKET, "a").await.unwrap());
    let content = store.copy(&held).await.unwrap();
    let object = NewObject { content, metadata: Vec::new() };
    store.put([BUCKET, "b"], object, Overwrite::Yes).await.unwrap();
    drop(held);
    store.remove(BUCKET, vec!["a".to_owned()]).await.unwrap();
    assert_eq!(get(&store, "b").await, b"1");
    assert_eq!(files(folder.path()), 1);
}

async fn page(store: &Store, query: &ListQuery) -> (String, String, Option<String>) {
    let page = store.list(BUCKET, query).await.unwrap();
    let keys: Vec<_> = page.entries.iter().map(|entry| &*entry.key).collect();
    (keys.join(" "), page.prefixes.join(" "), page.next)
}

#[tokio::test]
async fn keys_are_listed_in_the_order_of_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    for key in ["b", "a", "a/b", "a/", "a/b/c", "//x", "A", "聊", "a-", "\u{1f600}", "a\0"] {
        put(&store, key, b"").await;
    }
    for (prefix, delimiter, marker, max, expected) in [
        ("", "", "", 99, ("//x A a a\0 a- a/ a/b a/b/c b 聊 \u{1f600}", "", None)),
        ("a", "", "", 2, ("a a\0", "", Some("a\0"))),
        ("a", "", "a\0", 2, ("a- a/", "", Some("a/"))),
        ("a", "", "a/", 2, ("a/b a/b/c", "", None)),
        ("", "/", "", 99, ("A a a\0 a- b 聊 \u{1f600}", "/ a/", None)),
        ("", "/", "", 1, ("", "/", Some("/"))),
        ("", "/", "/", 4, ("A a a\0 a-", "", Some("a-"))),
        ("", "/", "a-", 1, ("", "a/", Some("a/"))),
        ("", "/", "a/", 9, ("b 聊 \u{1f600}", "", None)),
        ("", "/", "a/b", 9, ("b 聊 \u{1f600}", "", None)),
        ("a/", "/", "", 99, ("a/ a/b", "a/b/", None)),
        ("a/", "/", "a/b", 99, ("", "a/b/", None)),
        ("c", "", "", 99, ("", "", None)),
        ("a", "", "z", 99, ("", "", None)),
        ("", "", "", 0, ("", "", None)),
    ] {
        let [prefix, delimiter, marker] = [prefix, delimiter, marker].map(str::to_owned);
        let query = ListQuery { prefix, delimiter, marker, max, is_encoded: false };
        let (keys, prefixes, next) = page(&store, &query).await;
        assert_eq!((&*keys, &*prefixes, next.as_deref()), expected, "{query:?}");
    }
}

#[tokio::test]
async fn many_keys_below_one_prefix_are_one_entry() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    for number in 0..100 {
        put(&store, &format!("a/{number:03}"), b"").await;
        put(&store, &format!("b{number:03}"), b"").await;
    }
    let delimiter = "/".to_owned();
    let query = ListQuery { delimiter, max: 1000, ..ListQuery::default() };
    let page = store.list(BUCKET, &query).await.unwrap();
    assert_eq!((page.entries.len(), page.prefixes.len(), page.next), (100, 1, None));
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn an_upload_becomes_an_object_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    let names = [BUCKET, "a"];
    put(&store, "a", b"before").await;
    let upload = store.begin_upload(names, Vec::new()).await.unwrap();
    let mut parts = Vec::new();
    for (number, byte, size) in [(1, 9, 10), (1, 1, MIB), (2, 2, MIB), (3, 3, 5), (7, 7, MIB)] {
        let content = content(&store, &vec![byte; size]).await;
        let stored = store.put_part(names, &upload, number, content).await.unwrap();
        parts.push((number, stored.etag));
    }
    assert_eq!(files(folder.path()), 5);
    let query = ListParts { upload: upload.clone(), marker: 1, max: 2, is_encoded: false };
    let page = store.list_parts(names, &query).await.unwrap();
    let numbers: Vec<_> = page.entries.iter().map(|part| part.number).collect();
    assert_eq!((numbers, page.next.as_deref()), (vec![2, 3], Some("3")));
    assert_eq!(get(&store, "a").await, b"before");

    let complete =
        async |parts: &[(u32, String)]| store.complete_upload(names, &upload, parts.to_vec()).await;
    assert_eq!(complete(&parts[..1]).await.unwrap_err().code, Code::InvalidPart);
    assert_eq!(
        complete(&[parts[3].clone(), parts[4].clone()]).await.unwrap_err().code,
        Code::EntityTooSmall
    );
    let stored = complete(&parts[1..4]).await.unwrap();
    let expected = [vec![1; MIB], vec![2; MIB], vec![3; 5]].concat();
    assert_eq!(get(&store, "a").await, expected);
    assert_eq!(stored.crc, put(&store, "b", &expected).await.crc);
    assert!(stored.etag.ends_with("-3"), "{}", stored.etag);
    // Those of the object with the parts, and of the other one.
    assert_eq!(files(folder.path()), 4);
    assert_eq!(complete(&parts[1..4]).await.unwrap_err().code, Code::NoSuchUpload);
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    let names = [BUCKET, "a"];
    let upload = store.begin_upload(names, Vec::new()).await.unwrap();
    let part = content(&store, b"1").await;
    store.put_part(names, &upload, 1, part).await.unwrap();
    assert_eq!(store.remove_bucket(BUCKET).await.unwrap_err().code, Code::BucketNotEmpty);
    let other = store.abort_upload([BUCKET, "b"], &upload).await.unwrap_err();
    assert_eq!(other.code, Code::NoSuchUpload);
    store.abort_upload(names, &upload).await.unwrap();
    assert_eq!(files(folder.path()), 0);
    let part = content(&store, b"1").await;
    let late = store.put_part(names, &upload, 1, part).await.unwrap_err();
    assert_eq!(late.code, Code::NoSuchUpload);
    assert_eq!(files(folder.path()), 0);
    store.remove_bucket(BUCKET).await.unwrap();
    assert_eq!(store.check_bucket(BUCKET).await.unwrap_err().code, Code::NoSuchBucket);
}

#[tokio::test]
async fn uploads_are_listed_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(settings(folder.path())).await.unwrap();
    let mut begun = Vec::new();
    for key in ["a", "b", "b", "b", "c/d"] {
        begun.push((key.to_owned(), store.begin_upload([BUCKET, key], Vec::new()).await.unwrap()));
    }
    begun.sort();
    let mut query = ListUploads { max: 2, ..ListUploads::default() };
    let mut listed = Vec::new();
    loop {
        let page = store.list_uploads(BUCKET, &query).await.unwrap();
        let last = page.entries.last().unwrap();
        (query.key_marker, query.upload_marker) = (last.key.clone(), last.id.clone());
        listed.extend(page.entries.into_iter().map(|entry| (entry.key, entry.id)));
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(listed, begun);
    let query = ListUploads {
        delimiter: "/".to_owned(),
        key_marker: "b".to_owned(),
        max: 9,
        ..ListUploads::default()
    };
    let page = store.list_uploads(BUCKET, &query).await.unwrap();
    assert_eq!((page.entries.len(), page.prefixes), (0, vec!["c/".to_owned()]));
}
