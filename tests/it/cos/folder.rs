//! The folder of the objects is for the user of the store alone.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use nix::sys::signal::Signal;

use super::server::{Runs, end};

#[tokio::test]
async fn a_folder_that_others_may_look_into_is_a_warning() {
    let runs = Runs::new();
    let folder = runs.folder.path().join("data/cos");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let store = runs.start().await;
    store.logged("its mode is 755; use chmod 700").await;
    end(store).await;

    let runs = Runs::new();
    let store = runs.start().await;
    let mode = fs::metadata(runs.folder.path().join("data/cos")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    store.signal(Signal::SIGTERM);
    let log = store.ended_with_log().await;
    assert!(!log.contains("chmod"), "{log}");
}
