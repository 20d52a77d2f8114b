//! Journals that are damaged, and journals that only seem to be.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use super::{
    super::{accept_loss::*, error::*, marker::*, *},
    event, given_up_at, id, progress, settings,
};
use crate::registry::End;

/// What a version without marker and checksums has in its place, and does.
fn as_before(settings: &JournalSettings, statements: &str) {
    let connection = rusqlite::Connection::open(settings.dir.join("cleanups.sqlite")).unwrap();
    connection
        .execute_batch("pragma locking_mode = exclusive; pragma journal_mode = wal;")
        .unwrap();
    connection.execute_batch(statements).unwrap();
}

/// Makes the journal that of a version without marker and checksums.
fn remove_evidence(settings: &JournalSettings) {
    let mut statements = "drop table journal;".to_owned();
    for table in ["owed", "dead_letters", "dead_letter_events"] {
        statements += &format!(
            "drop trigger {table}_changed; drop trigger {table}_erased;
             drop trigger if exists {table}_replaced; drop table {table}_checks;"
        );
    }
    as_before(settings, &statements);
    fs::remove_file(settings.dir.join("cleanups.marker")).unwrap();
}

/// Makes a journal, or goes on with the one that is there, and adds debts to it.
async fn owe(settings: &JournalSettings, numbers: &[u8]) {
    let journal = Journal::open(settings).unwrap();
    for number in numbers {
        journal.owe_of(id(*number), "a").await.unwrap();
    }
    journal.close().await;
}

/// The ids of all debts.
async fn in_backlog(journal: &Journal) -> Vec<ConnectionId> {
    let later = SystemTime::now() + Duration::from_secs(3600);
    let mut records = journal.due("a", later).await;
    records.sort_by_key(|record| record.key);
    records.into_iter().map(|record| record.id).collect()
}

#[tokio::test]
async fn a_journal_of_a_version_without_marker_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    owe(&settings, &[1]).await;
    remove_evidence(&settings);
    owe(&settings, &[2]).await;
    let journal = Journal::open(&settings).unwrap();
    assert_eq!(in_backlog(&journal).await, [id(1), id(2)]);
}

#[tokio::test]
async fn a_version_without_marker_may_use_the_journal_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    let journal = Journal::open(&settings).unwrap();
    for number in 1..=5 {
        let key = journal.owe_of(id(number), "a").await.unwrap();
        if number > 3 {
            journal.give_up(key, progress(1), "it is broken".to_owned(), given_up_at());
        }
    }
    journal.close().await;
    let nine = "09".repeat(19);
    as_before(
        &settings,
        &format!(
            "delete from owed where key = 1;
             update owed set close_reason = 'client', ended_at = 7, attempts = 3 where key = 2;
             insert into owed (key, id, api) values (9, x'{nine}', 'a');
             insert or replace into dead_letters
                 select id, 'c', close_code, close_reason, ended_at, attempts, error, given_up_at
                 from dead_letters order by id limit 1;
             update dead_letters set attempts = 9 where api = 'a';"
        ),
    );
    for _ in 0..2 {
        let journal = Journal::open(&settings).unwrap();
        let counts = Counts { owed: 3, backlog: 3, dead_letters: 2 };
        assert_eq!(journal.counts().await.unwrap(), counts);
        assert_eq!(in_backlog(&journal).await, [id(2), id(3), id(9)]);
        let key = journal.owe_of(id(5), "a").await.unwrap();
        assert!(key.0 > 9);
        journal.settle(key);
        journal.close().await;
    }
}

/// A new column may have a default, which changes the checksum of each old row.
#[tokio::test]
async fn a_journal_with_checksums_gets_the_columns_that_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    let journal = Journal::open(&settings).unwrap();
    let key = journal.owe_of(id(1), "a").await.unwrap();
    journal.to_backlog(key, progress(1));
    journal.owe_of(id(2), "a").await.unwrap();
    journal.close().await;
    let mut lacking = "drop index due; drop table dead_letter_events_checks;
        drop table dead_letter_events;
        create index backlog on owed (api, key) where backlog;"
        .to_owned();
    for column in ["run_ms", "failures", "give_up_at", "dialect", "info", "extra"] {
        lacking += &format!("alter table owed drop column {column};");
    }
    as_before(&settings, &lacking);
    rechecked(&settings);
    // Nothing writes the rows before the journal is closed.
    Journal::open(&settings).unwrap().close().await;
    for _ in 0..2 {
        let journal = Journal::open(&settings).unwrap();
        assert_eq!(in_backlog(&journal).await, [id(1), id(2)]);
        journal.close().await;
    }
}

/// Writes the checksums of a version that knows the columns in the file and no others.
fn rechecked(settings: &JournalSettings) {
    let file = rusqlite::Connection::open(settings.dir.join("cleanups.sqlite")).unwrap();
    store::add_function(&file).unwrap();
    let columns = store::columns(&file, "owed").unwrap().join(", ");
    let text =
        format!("insert or replace into owed_checks select key, row_check({columns}) from owed");
    assert_eq!(file.execute(&text, []).unwrap(), 2);
}

/// A later version may have added columns with defaults, and has written checksums of all of them.
#[tokio::test]
async fn a_journal_with_columns_of_a_later_version_is_not_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    owe(&settings, &[1, 2]).await;
    as_before(&settings, "alter table owed add column later integer not null default 7");
    rechecked(&settings);
    Journal::open(&settings).unwrap().close().await;
    for _ in 0..2 {
        let journal = Journal::open(&settings).unwrap();
        let key = journal.owe_of(id(3), "a").await.unwrap();
        journal.settle(key);
        assert_eq!(in_backlog(&journal).await, [id(1), id(2)]);
        journal.close().await;
    }
}

/// The process may die after any of the steps that a write or the first start consists of.
#[tokio::test]
async fn a_death_between_file_and_marker_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    let marker = settings.dir.join("cleanups.marker");
    let reopened = async || {
        let journal = Journal::open(&settings).unwrap();
        let backlog = in_backlog(&journal).await;
        journal.owe_of(id(u8::try_from(backlog.len()).unwrap()), "a").await.unwrap();
        journal.close().await;
        backlog.len()
    };
    assert_eq!(reopened().await, 0);
    // The transaction was written, the marker was not.
    let before = fs::read(&marker).unwrap();
    assert_eq!(reopened().await, 1);
    fs::write(&marker, &before).unwrap();
    assert_eq!(reopened().await, 2);
    // The tables were made, and the marker still says that they will be.
    let Found::Mark(mark) = Marker::read(&marker).unwrap() else { panic!() };
    let making = Mark { stage: Stage::Making, ..mark };
    Marker::make(&marker, &making).unwrap();
    assert_eq!(reopened().await, 3);
    // Nothing is there but such a marker.
    fs::remove_dir_all(&settings.dir).unwrap();
    fs::create_dir(&settings.dir).unwrap();
    Marker::make(&marker, &making).unwrap();
    assert_eq!(reopened().await, 0);
    assert_eq!(reopened().await, 1);
}

/// A wrong byte within a value, which `SQLite` does not notice.
#[tokio::test]
async fn a_value_that_is_not_as_it_was_written_is_noticed() {
    let wrong = [
        ("owed", "api = 'b'"),
        ("owed", "run_ms = 1"),
        ("owed", "failures = 8"),
        ("owed", "give_up_at = 5"),
        ("owed", "dialect = 'b'"),
        ("owed", "info = x'00'"),
        ("owed", "extra = 'b'"),
        ("dead_letters", "api = 'b'"),
        ("dead_letter_events", "info = x'00'"),
    ];
    for (table, value) in wrong {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        let journal = Journal::open(&settings).unwrap();
        let key = journal.owe_of(id(1), "a").await.unwrap();
        journal.owe_of(id(2), "a").await.unwrap();
        journal.give_up(key, progress(1), "it is broken".to_owned(), given_up_at());
        journal.close().await;
        as_before(
            &settings,
            &format!(
                "create table kept as select * from {table}_checks;
                 update {table} set {value};
                 insert into {table}_checks select * from kept; drop table kept;"
            ),
        );
        let error = Journal::open(&settings).unwrap_err();
        let JournalOpenError::Damaged { damage: Damage::Entries(1), loss, .. } = error else {
            panic!("{table}: {value}: {error:?}")
        };
        let missing = u64::from(table == "owed");
        assert_eq!(loss, Loss::AtMost { missing, owed: 1 }, "{table}: {value}");
    }
}

#[tokio::test]
async fn accepting_a_loss_keeps_the_files_and_what_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    assert!(matches!(accept_loss(&settings).unwrap(), AcceptedLoss::NoJournal(_)));
    let journal = Journal::open(&settings).unwrap();
    let key = journal.owe_of(id(1), "a").await.unwrap();
    journal.progress(key, progress(7));
    let key = journal.owe_of(id(2), "a").await.unwrap();
    journal.give_up(key, progress(1), "it is broken".to_owned(), given_up_at());
    // Nobody sees this connection end.
    journal.owe_of(id(3), "a").await.unwrap();
    assert!(matches!(accept_loss(&settings), Err(JournalOpenError::InUse(_))));
    journal.close().await;
    assert!(matches!(accept_loss(&settings).unwrap(), AcceptedLoss::NotDamaged(_)));
    fs::remove_file(settings.dir.join("cleanups.marker")).unwrap();
    assert!(matches!(Journal::open(&settings), Err(JournalOpenError::Damaged { .. })));
    let AcceptedLoss::Accepted { read: 2, loss: Loss::Unknown, kept } =
        accept_loss(&settings).unwrap()
    else {
        panic!()
    };
    assert!(kept.join("cleanups.sqlite").exists());
    let before = SystemTime::now();
    let journal = Journal::open(&settings).unwrap();
    let [record] = &journal.due("a", SystemTime::now()).await[..] else { panic!() };
    assert_eq!((record.id, &record.event, record.progress), (id(1), &event(), progress(7)));
    let later = before + Duration::from_secs(4);
    let [record] = &journal.due("a", later).await[..] else { panic!() };
    assert_eq!((record.id, &record.event, record.progress.end), (id(3), &event(), End::CRASH));
    let letter = journal.dead_letter(id(2)).await.unwrap().unwrap();
    assert_eq!((letter.event, letter.progress), (event(), progress(1)));
}

/// An earlier version has written no columns that a newer one has added.
#[tokio::test]
async fn accepting_a_loss_reads_the_file_of_an_earlier_version() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder);
    owe(&settings, &[1]).await;
    remove_evidence(&settings);
    as_before(
        &settings,
        "drop index due; drop table dead_letter_events;
         alter table owed drop column run_ms; alter table owed drop column failures;
         alter table owed drop column give_up_at; alter table owed drop column dialect;
         alter table owed drop column info; alter table owed drop column extra;
         alter table owed drop column not_before; pragma user_version = 1;",
    );
    fs::write(settings.dir.join("cleanups.marker"), "it is no marker").unwrap();
    let AcceptedLoss::Accepted { read: 1, .. } = accept_loss(&settings).unwrap() else { panic!() };
    let journal = Journal::open(&settings).unwrap();
    assert_eq!(in_backlog(&journal).await, [id(1)]);
}
