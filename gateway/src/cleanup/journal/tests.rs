use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::registry::End;

fn settings(folder: &TempDir) -> JournalSettings {
    JournalSettings { dir: folder.path().join("a/journal"), sync: JournalSync::Process }
}

fn id(number: u8) -> ConnectionId {
    ConnectionId::from_bytes([number; 19])
}

fn progress(attempts: u32) -> Progress {
    let ended_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    Progress { end: End::SERVER, ended_at, attempts, not_before: None }
}

#[tokio::test]
async fn what_is_owed_is_there_in_the_next_life_and_what_was_settled_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let first = journal.owe(id(1), "a").await.unwrap();
    let second = journal.owe(id(2), "a").await.unwrap();
    let third = journal.owe(id(3), "b").await.unwrap();
    journal.settle(first);
    let waiting = Progress { not_before: Some(SystemTime::UNIX_EPOCH), ..progress(7) };
    journal.progress(second, waiting);
    assert_eq!(journal.take_backlog("a", 9).await.unwrap(), []);
    journal.close().await;
    assert_eq!(journal.owe(id(9), "a").await, Err(JournalFailed));

    let journal = Journal::open(&settings(&folder)).unwrap();
    assert_eq!(journal.backlog().await.unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    let expected = Record { key: second, id: id(2), progress: Some(waiting) };
    assert_eq!(journal.take_backlog("a", 9).await.unwrap(), [expected]);
    let expected = Record { key: third, id: id(3), progress: None };
    assert_eq!(journal.take_backlog("b", 9).await.unwrap(), [expected]);
    assert_eq!(journal.take_backlog("b", 9).await.unwrap(), []);
    // Keys are never used twice while their debts may still be there.
    assert!(journal.owe(id(4), "a").await.unwrap().0 > third.0);
}

#[tokio::test]
async fn a_journal_of_version_1_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    let journal = Journal::open(&settings).unwrap();
    let key = journal.owe(id(1), "a").await.unwrap();
    journal.progress(key, progress(1));
    journal.close().await;
    let old = "alter table owed drop column not_before; pragma user_version = 1";
    let file = settings.dir.join("cleanups.sqlite");
    rusqlite::Connection::open(file).unwrap().execute_batch(old).unwrap();
    let journal = Journal::open(&settings).unwrap();
    let expected = Record { key, id: id(1), progress: Some(progress(1)) };
    assert_eq!(journal.take_backlog("a", 9).await.unwrap(), [expected]);
}

#[tokio::test]
async fn the_backlog_gives_the_oldest_first_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    for number in 0..5 {
        let key = journal.owe(id(number), "a").await.unwrap();
        journal.to_backlog(key, progress(0));
    }
    let mut taken = Vec::new();
    for _ in 0..3 {
        let page = journal.take_backlog("a", 2).await.unwrap();
        taken.extend(page.into_iter().map(|record| record.id));
    }
    assert_eq!(taken, [id(0), id(1), id(2), id(3), id(4)]);
    let counts = Counts { owed: 5, backlog: 0, dead_letters: 0 };
    assert_eq!(journal.counts().await.unwrap(), counts);
}

#[tokio::test]
async fn a_dead_letter_outlives_the_process_until_it_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    for number in [3, 1, 2] {
        let key = journal.owe(id(number), "a").await.unwrap();
        journal.give_up(key, progress(4), "it is broken".to_owned());
    }
    journal.retried(id(2), 5, "it still is".to_owned());
    journal.close().await;
    let journal = Journal::open(&settings(&folder)).unwrap();
    let counts = Counts { owed: 0, backlog: 0, dead_letters: 3 };
    assert_eq!(journal.counts().await.unwrap(), counts);
    let ids = |letters: Vec<DeadLetter>| letters.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(journal.dead_letters(None, 2).await.unwrap().1), [id(1), id(2)]);
    assert_eq!(ids(journal.dead_letters(Some(id(2)), 2).await.unwrap().1), [id(3)]);
    let letter = journal.dead_letter(id(2)).await.unwrap().unwrap();
    assert_eq!(
        (letter.api.as_str(), letter.progress, &*letter.error),
        ("a", progress(5), "it still is")
    );
    assert!(journal.erase_dead_letter(id(2)).await.unwrap());
    assert!(!journal.erase_dead_letter(id(2)).await.unwrap());
    assert_eq!(journal.dead_letter(id(2)).await.unwrap(), None);
}

#[tokio::test]
async fn a_journal_belongs_to_one_gateway_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let error = Journal::open(&settings(&folder)).unwrap_err();
    assert!(matches!(error, JournalOpenError::InUse(_)), "{error:?}");
    journal.close().await;
    Journal::open(&settings(&folder)).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_journal_of_this_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    Journal::open(&settings).unwrap().close().await;
    let file = settings.dir.join("cleanups.sqlite");
    rusqlite::Connection::open(&file).unwrap().execute_batch("pragma user_version = 9").unwrap();
    let error = Journal::open(&settings).unwrap_err();
    assert!(matches!(error, JournalOpenError::TooNew(_)), "{error:?}");
    std::fs::write(&file, "this is no database, and is longer than its header would be".repeat(9))
        .unwrap();
    let error = Journal::open(&settings).unwrap_err();
    assert!(matches!(error, JournalOpenError::Damaged(..)), "{error:?}");
    let file = JournalSettings { dir: file.join("below"), ..settings };
    let error = Journal::open(&file).unwrap_err();
    assert!(matches!(error, JournalOpenError::Folder(..)), "{error:?}");
}

/// Nothing but memory: it makes no file, and forgets.
#[tokio::test]
async fn without_sync_it_is_kept_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let settings = JournalSettings { sync: JournalSync::Off, ..settings(&folder) };
    let journal = Journal::open(&settings).unwrap();
    let key = journal.owe(id(1), "a").await.unwrap();
    journal.to_backlog(key, progress(0));
    assert_eq!(journal.take_backlog("a", 1).await.unwrap().len(), 1);
    assert!(!settings.dir.exists() && !journal.is_durable());
}
