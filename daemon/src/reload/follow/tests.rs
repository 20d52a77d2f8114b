//! A settings file that is saved in steps. Its lines are the settings.

use std::{convert::Infallible, fs, path::Path, time::Duration};

use notify::{
    Event, EventKind,
    event::{DataChange, ModifyKind},
};
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{FromFile, SettingsFile, follow};
use crate::reload::{ReloadTriggers, seen::Seen};

#[derive(Debug, PartialEq)]
struct Lines(Vec<String>);

impl FromFile for Lines {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A file with the lines `a` and `b`.
struct Followed {
    folder: TempDir,
    triggers: ReloadTriggers,
}

impl Followed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let triggers = ReloadTriggers::listen(false).unwrap();
        Self { folder, triggers }
    }

    /// The settings that are sent while `change` works. It is over when `change` has ended.
    async fn sent(self, change: impl AsyncFnOnce(&Path, &Seen)) -> Vec<Lines> {
        let (path, seen) = (self.folder.path().join("settings"), self.triggers.seen());
        let file = SettingsFile { path: path.clone(), text: "a\nb\n".to_owned() };
        fs::write(&path, &file.text).unwrap();
        let (sender, mut receiver) = mpsc::channel(100);
        tokio::select! {
            () = follow(self.triggers, file, parse, sender) => panic!("ended"),
            () = change(&path, &seen) => {}
        }
        let mut sent = Vec::new();
        while let Ok(lines) = receiver.try_recv() {
            sent.push(lines);
        }
        sent
    }
}

fn save(path: &Path, text: &str, seen: &Seen) {
    fs::write(path, text).unwrap();
    let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    seen.note(Ok(Event::new(written).add_path(path.to_owned())));
    let closed =
        EventKind::Access(notify::event::AccessKind::Close(notify::event::AccessMode::Write));
    seen.note(Ok(Event::new(closed).add_path(path.to_owned())));
}

async fn milliseconds(number: u64) {
    sleep(Duration::from_millis(number)).await;
}

fn parse(text: &str) -> Result<Lines, Infallible> {
    Ok(Lines(text.lines().map(str::to_owned).collect()))
}

fn lines(text: &[&str]) -> Lines {
    Lines(text.iter().map(|&line| line.to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn half_a_file_is_not_taken_while_it_is_saved() {
    let sent = Followed::new()
        .sent(async |path, seen| {
            for piece in ["", "a\n", "a\nb\n", "a\nb\nc\n"] {
                save(path, piece, seen);
                milliseconds(350).await;
            }
            milliseconds(2000).await;
        })
        .await;
    assert_eq!(sent, [lines(&["a", "b", "c"])]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_names_less_is_taken_when_it_stays_so() {
    let sent = Followed::new()
        .sent(async |path, seen| {
            save(path, "a\n", seen);
            milliseconds(2000).await;
        })
        .await;
    assert_eq!(sent, [lines(&["a"])]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_file_is_not_taken_however_long_it_stays_empty() {
    let sent = Followed::new()
        .sent(async |path, seen| {
            save(path, "", seen);
            milliseconds(60_000).await;
            save(path, "", seen);
            milliseconds(60_000).await;
        })
        .await;
    assert_eq!(sent, []);
}

#[tokio::test]
async fn a_file_that_changed_before_it_was_watched_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings");
    fs::write(&path, "new\n").unwrap();
    let mut triggers = ReloadTriggers::listen(true).unwrap();
    triggers.watch(&path, Vec::new()).await;
    let (sender, mut receiver) = mpsc::channel(1);
    let file = SettingsFile { path, text: "old\n".to_owned() };
    tokio::select! {
        () = follow(triggers, file, parse, sender) => panic!("ended"),
        sent = timeout(Duration::from_mins(1), receiver.recv()) => {
            assert_eq!(sent.unwrap(), Some(lines(&["new"])));
        }
    }
}
