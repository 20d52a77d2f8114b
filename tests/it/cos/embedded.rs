//! `longhold` has the object store if its folder has settings for it.

use std::fs;

use super::server::{client, end, url, write_settings};
use crate::support::process::{self, Process};

#[tokio::test]
async fn longhold_opens_the_store_if_the_folder_has_cos_toml() {
    let folder = tempfile::tempdir().unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["gateway.toml", "functions.toml"] {
        let text = fs::read_to_string(format!("{root}/{file}")).unwrap();
        let text = text.replace("dir = \"web\"", "");
        fs::write(folder.path().join(file), text).unwrap();
    }
    let variables = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
    ];
    let arguments = ["--config-dir", "."];
    let without = Process::start("longhold", &arguments, folder.path(), &variables).await;
    assert!(without.ready().get("cos").is_none(), "{}", without.ready());
    end(without).await;

    write_settings(folder.path(), "");
    let longhold = Process::start("longhold", &arguments, folder.path(), &variables).await;
    let address = longhold.address("cos");
    let put = client().put(url(address, "a")).body("x").send().await.unwrap();
    assert_eq!(put.status(), 200);
    end(longhold).await;

    write_settings(folder.path(), "store.sync = \"off\"");
    let refused = process::run("longhold", &arguments, folder.path(), &variables).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("store.sync: \"off\" is not valid"), "{}", refused.stderr);
}
