mod damage;

use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::registry::{End, EndReason};

fn settings(folder: &TempDir) -> JournalSettings {
    JournalSettings { dir: folder.path().join("a/journal"), sync: JournalSync::Process }
}

fn id(number: u8) -> ConnectionId {
    ConnectionId::from_bytes([number; 19])
}

fn progress(attempts: u32) -> Progress {
    let ended_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    Progress {
        end: End::of(Some(CloseCode::Normal), EndReason::Server),
        ended_at,
        attempts,
        failures: 0,
        not_before: None,
        give_up_at: None,
    }
}

fn given_up_at() -> SystemTime {
    progress(0).ended_at + Duration::from_hours(24)
}

fn event() -> EventSource {
    EventSource { dialect: Some("tencent".to_owned()), info: b"anything\0".to_vec() }
}

impl Journal {
    async fn owe_of(&self, id: ConnectionId, api: &str) -> Result<Key, JournalFailed> {
        self.owe(id, api, Some(Duration::from_secs(3)), event()).await
    }

    /// Everything that is due at `now`.
    async fn due(&self, api: &str, now: SystemTime) -> Vec<Record> {
        self.take_due(api, now, 99, false).await.unwrap().records
    }
}

#[tokio::test]
async fn what_is_owed_is_there_in_the_next_life_and_what_was_settled_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let first = journal.owe_of(id(1), "a").await.unwrap();
    let second = journal.owe_of(id(2), "a").await.unwrap();
    let third = journal.owe_of(id(3), "b").await.unwrap();
    journal.settle(first);
    let waiting = Progress {
        not_before: Some(SystemTime::UNIX_EPOCH),
        give_up_at: Some(SystemTime::UNIX_EPOCH),
        failures: 7,
        ..progress(7)
    };
    journal.progress(second, waiting);
    assert_eq!(journal.due("a", SystemTime::now()).await, []);
    journal.close().await;
    assert_eq!(journal.owe_of(id(9), "a").await, Err(JournalFailed));

    let before = SystemTime::now();
    let journal = Journal::open(&settings(&folder)).unwrap();
    assert_eq!(journal.backlog().await.unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    // Each life decides anew how long to pause, and when to give up.
    let progress = Progress { failures: 0, give_up_at: None, ..waiting };
    let expected = Record { key: second, id: id(2), event: event(), progress };
    assert_eq!(journal.due("a", SystemTime::now()).await, [expected]);
    // Nobody has seen this connection end. Its calls may run for three seconds more.
    let TakenDue { records, next_due } =
        journal.take_due("b", SystemTime::now(), 9, false).await.unwrap();
    let due = next_due.unwrap();
    assert_eq!(records, []);
    assert!(due + Duration::from_millis(1) > before + Duration::from_secs(3));
    assert!(due <= SystemTime::now() + Duration::from_secs(3));
    assert_eq!(journal.due("b", due - Duration::from_millis(1)).await, []);
    let [record] = &journal.due("b", due).await[..] else { panic!("it is not due") };
    assert_eq!((record.key, record.progress.end), (third, End::CRASH));
    assert_eq!(journal.due("b", due).await, []);
    // Keys are never used twice while their debts may still be there.
    assert!(journal.owe_of(id(4), "a").await.unwrap().0 > third.0);
}

/// What the version before does to a file, statement by statement. It knows none of the columns
/// that have been added since.
const BEFORE: [&str; 6] = [
    "insert into owed (key, id, api) values (100, x'05', 'a')",
    "update owed set close_code = 1000, close_reason = 'client', ended_at = 5, attempts = 1,
     not_before = null, backlog = 1 where key = 100",
    "select key, id, close_code, close_reason, ended_at, attempts, not_before from owed
     where backlog and api = 'a' order by key limit 9",
    "insert or replace into dead_letters select id, api, 1000, 'client', 5, 1, 'why', 6 from owed
     where key = 100",
    "select * from dead_letters where id > x'' order by id limit 9",
    "delete from owed where key = 100",
];

#[tokio::test]
async fn the_version_before_can_use_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    let journal = Journal::open(&settings).unwrap();
    let key = journal.owe_of(id(1), "a").await.unwrap();
    journal.to_backlog(key, progress(1));
    journal.close().await;
    let file = rusqlite::Connection::open(settings.dir.join("cleanups.sqlite")).unwrap();
    let version: i64 = file.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    for statement in BEFORE {
        let mut rows = file.prepare(statement).unwrap();
        let mut rows = rows.query([]).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    drop(file);
    let journal = Journal::open(&settings).unwrap();
    let counts = Counts { owed: 1, backlog: 1, dead_letters: 1 };
    assert_eq!(journal.counts().await.unwrap(), counts);
}

/// Files of version 1, and of version 2 before columns were added to it.
#[tokio::test]
async fn a_journal_of_an_earlier_version_is_taken_over() {
    let version_2 = "
        create table owed (key integer primary key, id blob not null, api text not null,
            backlog integer not null default 0, close_code integer, close_reason text,
            ended_at integer, attempts integer not null default 0, not_before integer);
        create index backlog on owed (api, key) where backlog;
        create table dead_letters (id blob primary key, api text not null, close_code integer,
            close_reason text not null, ended_at integer not null, attempts integer not null,
            error text not null, given_up_at integer not null) without rowid;
        insert into owed values (7, x'01010101010101010101010101010101010101', 'a', 0, 1000, 'server',
            1700000000123, 1, null);
        insert into owed (key, id, api) values (8, x'02020202020202020202020202020202020202', 'a');
        insert into dead_letters values (x'03030303030303030303030303030303030303', 'a', 1000,
            'server', 1700000000123, 4, 'it is broken', 1700000000124);
        pragma user_version = 2;";
    for old in ["", "alter table owed drop column not_before; pragma user_version = 1;"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        std::fs::create_dir_all(&settings.dir).unwrap();
        let file = rusqlite::Connection::open(settings.dir.join("cleanups.sqlite")).unwrap();
        file.execute_batch(&format!("{version_2}{old}")).unwrap();
        drop(file);
        for _ in 0..2 {
            let journal = Journal::open(&settings).unwrap();
            let event = EventSource::default();
            let expected = Record { key: Key(7), id: id(1), event, progress: progress(1) };
            assert_eq!(journal.due("a", SystemTime::now()).await, [expected]);
            // Nothing is known of its calls.
            let later = SystemTime::now() + Duration::from_secs(900);
            let [record] = &journal.due("a", later).await[..] else { panic!("it is not due") };
            assert_eq!((record.key, record.progress.end), (Key(8), End::CRASH));
            let letter = journal.dead_letter(id(3)).await.unwrap().unwrap();
            assert_eq!((letter.event, letter.progress), (EventSource::default(), progress(4)));
            journal.close().await;
        }
    }
}

#[tokio::test]
async fn the_backlog_gives_what_was_due_first_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let now = SystemTime::now();
    for number in 0..6 {
        let key = journal.owe_of(id(number), "a").await.unwrap();
        // Every second one is due later than those after it, and the last one is not due.
        let late = Duration::from_secs(u64::from(number % 2));
        let not_before = Some(if number < 5 { now - Duration::from_secs(9) + late } else { now });
        journal.to_backlog(key, Progress { not_before, ..progress(0) });
    }
    let at = now - Duration::from_secs(1);
    let mut taken = Vec::new();
    for _ in 0..3 {
        let page = journal.take_due("a", at, 2, false).await.unwrap();
        taken.extend(page.records.into_iter().map(|record| record.id));
    }
    assert_eq!(taken, [id(0), id(2), id(4), id(1), id(3)]);
    let counts = Counts { owed: 6, backlog: 1, dead_letters: 0 };
    assert_eq!(journal.counts().await.unwrap(), counts);
}

/// A drain tries at once what has failed, and does not try what has to wait for a call.
#[tokio::test]
async fn in_a_hurry_failed_cleanups_are_due_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let now = SystemTime::now();
    let later = Some(now + Duration::from_secs(60));
    for number in 0..2 {
        let key = journal.owe_of(id(number), "a").await.unwrap();
        let attempts = u32::from(number);
        journal.to_backlog(key, Progress { not_before: later, ..progress(attempts) });
    }
    assert_eq!(journal.due("a", now).await, []);
    let taken = journal.take_due("a", now, 9, true).await.unwrap();
    let ids: Vec<_> = taken.records.iter().map(|record| record.id).collect();
    assert_eq!(ids, [id(1)]);
    assert!(taken.next_due.is_some());
}

#[tokio::test]
async fn a_dead_letter_outlives_the_process_until_it_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    for number in [3, 1, 2] {
        let key = journal.owe_of(id(number), "a").await.unwrap();
        journal.give_up(key, progress(4), "it is broken".to_owned(), given_up_at());
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
        (letter.api.as_str(), letter.event, letter.progress, &*letter.error),
        ("a", event(), progress(5), "it still is")
    );
    assert_eq!(letter.given_up_at, given_up_at());
    assert!(journal.erase_dead_letter(id(2)).await.unwrap());
    assert!(!journal.erase_dead_letter(id(2)).await.unwrap());
    assert_eq!(journal.dead_letter(id(2)).await.unwrap(), None);
}

/// The clock of the machine may have been set since the process started, as on one that starts in
/// 1970.
#[tokio::test]
async fn a_debt_without_an_api_is_as_old_as_the_clock_of_the_process_says() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&folder)).unwrap();
    let key = journal.owe_of(id(1), "a").await.unwrap();
    let hour = Duration::from_hours(1);
    let ended_at = SystemTime::UNIX_EPOCH + hour;
    journal.to_backlog(key, Progress { ended_at, ..progress(0) });
    let late = ended_at + 3 * hour;
    for (now, given_up) in [(ended_at + hour, 0), (late, 1)] {
        assert_eq!(journal.give_up_unserved(Vec::new(), now, 2 * hour).await.unwrap(), given_up);
    }
    assert_eq!(journal.dead_letter(id(1)).await.unwrap().unwrap().given_up_at, late);
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
    std::fs::remove_file(settings.dir.join("cleanups.marker")).unwrap();
    let error = Journal::open(&settings).unwrap_err();
    assert!(matches!(error, JournalOpenError::TooNew(_)), "{error:?}");
    std::fs::write(&file, "this is no database, and is longer than its header would be".repeat(9))
        .unwrap();
    let error = Journal::open(&settings).unwrap_err();
    assert!(matches!(error, JournalOpenError::Damaged { .. }), "{error:?}");
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
    let key = journal.owe_of(id(1), "a").await.unwrap();
    journal.to_backlog(key, progress(0));
    assert_eq!(journal.due("a", SystemTime::now()).await.len(), 1);
    assert!(!settings.dir.exists() && !journal.is_durable());
}
