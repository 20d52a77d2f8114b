//! Which object a copy is of.

use super::server::{BUCKET, Runs, client, end, url, write_settings};
use crate::support::process::Process;

/// The host in the header is taken for what it would be as the host of a request.
#[tokio::test]
async fn the_host_of_a_copied_object_may_be_any_name_of_the_store() {
    let runs = Runs::new();
    write_settings(runs.folder.path(), "listen.internal_hosts = [\"cos\"]");
    let store = Process::start("cos", &[], runs.folder.path(), &[]).await;
    let address = store.address("internal");
    let put = client().put(url(address, "a")).body("x").send().await.unwrap();
    assert_eq!(put.status(), 200);
    let cloud = format!("{BUCKET}.cos.ap-guangzhou.myqcloud.com");
    for (source, expected) in [
        (format!("{cloud}/a"), 200),
        (format!("{cloud}:{}/a", address.port()), 200),
        (format!("{cloud}./a"), 200),
        (format!("{address}/{BUCKET}/a"), 200),
        (format!("localhost:9003/{BUCKET}/a"), 200),
        (format!("cos:9003/{BUCKET}/a"), 200),
        (format!("/{BUCKET}/a"), 200),
        (format!("evil.example/{BUCKET}/a"), 400),
        (format!("{cloud}.evil.example/a"), 400),
    ] {
        let copy = client().put(url(address, "copy")).header("x-cos-copy-source", &source);
        assert_eq!(copy.send().await.unwrap().status(), expected, "{source}");
    }
    end(store).await;
}
