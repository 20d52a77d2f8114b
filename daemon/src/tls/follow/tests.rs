//! Files that change at a bad moment.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, os::unix::fs::symlink, time::Duration};

use tokio::{runtime::Builder, sync::mpsc, task::spawn_blocking, time::timeout};

use super::follow_files;

/// Where a link leads to now is watched only after it was read.
#[test]
fn a_file_that_changes_after_it_was_read_and_before_it_is_watched_is_read_again() {
    // The one thread for blocking work looks at the files, and then does what comes after that.
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["old", "new"] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("file"), name).unwrap();
    }
    symlink("old/file", at("link")).unwrap();
    let (sender, mut texts) = mpsc::channel(16);
    let read = || {
        let (text, sender) = (fs::read_to_string(at("link")).unwrap(), sender.clone());
        if text == "new" {
            fs::write(at("new/file"), "newer").unwrap();
        }
        async move {
            sender.send(text).await.unwrap();
            Ok(())
        }
    };
    let change = async {
        assert_eq!(texts.recv().await.unwrap(), "old");
        spawn_blocking(|| {}).await.unwrap();
        symlink("new/file", at("other")).unwrap();
        fs::rename(at("other"), at("link")).unwrap();
        while texts.recv().await.unwrap() != "newer" {}
    };
    let both = async {
        tokio::select! {
            biased;
            () = follow_files(vec![at("link")], true, read) => panic!("it has ended"),
            changed = timeout(Duration::from_mins(1), change) => changed.unwrap(),
        }
    };
    runtime.unwrap().block_on(both);
}
