//! Damaged journals: no owed cleanup is lost without a word.
//!
//! A gateway is killed or ended with fifty owed cleanups. Then its files are damaged at random, and
//! it is started again. It delivers all cleanups, or it refuses to start, or it logs how many are
//! missing.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    crowd::{chance, connect},
    runs::{GatewayRuns, PATH},
};
use crate::support::{
    backend::Reply,
    process::{Process, binary},
    soon,
};

const OWED: usize = 50;
const MAIN: &str = "cleanups.sqlite";
const LOG: &str = "cleanups.sqlite-wal";
const MARKER: &str = "cleanups.marker";

/// How many damages are tried; `LONGHOLD_DAMAGES` sets another number.
const DAMAGES: usize = 40;

/// A journal with fifty owed cleanups, and where they are.
struct Journal {
    sync: &'static str,
    end: End,
    folder: TempDir,
    ids: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// All is in the log.
    Killed,
    /// All is in the main file.
    Closed,
    /// Half is in the main file, half in the log.
    KilledLater,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Truncate,
    Empty,
    Zero,
    Flip,
    Remove,
}

/// What has become of the owed cleanups.
#[derive(Debug, Default)]
struct Outcomes {
    delivered: usize,
    refused: usize,
    logged: usize,
}

fn folder_of(runs: &GatewayRuns) -> PathBuf {
    runs.folder.path().join("data/journal")
}

async fn runs(sync: &str) -> GatewayRuns {
    GatewayRuns::with(
        &format!("journal = {{ sync = '{sync}' }}"),
        "timeout = '1s'\nfunction_timeout = '1s'",
    )
    .await
}

impl Journal {
    /// Cleanups fail, so that they are still owed at the end.
    async fn make(sync: &'static str, end: End) -> Self {
        let runs = runs(sync).await;
        runs.backend.always("cleanup", Reply::status(500));
        let mut ids = BTreeSet::new();
        if end == End::KilledLater {
            let gateway = owe(&runs, OWED / 2, &mut ids).await;
            GatewayRuns::end(gateway).await;
        }
        let gateway = owe(&runs, OWED - ids.len(), &mut ids).await;
        match end {
            End::Closed => GatewayRuns::end(gateway).await,
            End::Killed | End::KilledLater => {
                gateway.signal(Signal::SIGKILL);
                gateway.ended().await;
            }
        }
        assert_eq!(ids.len(), OWED);
        let folder = tempfile::tempdir().unwrap();
        copy_files(&folder_of(&runs), folder.path());
        runs.backend.stop();
        Self { sync, end, folder, ids }
    }

    /// The journal in the folder of another gateway.
    async fn copied(&self) -> GatewayRuns {
        let runs = runs(self.sync).await;
        fs::create_dir_all(folder_of(&runs)).unwrap();
        copy_files(self.folder.path(), &folder_of(&runs));
        runs
    }
}

/// Starts a gateway, and connects clients that leave at once.
async fn owe(runs: &GatewayRuns, count: usize, ids: &mut BTreeSet<String>) -> Process {
    let gateway = runs.start().await;
    let clients = connect(gateway.address("public"), PATH, count).await;
    for _ in 0..count {
        ids.insert(runs.backend.next("register").await.id().to_owned());
    }
    drop(clients);
    let mut called = BTreeSet::new();
    while called != *ids {
        called.insert(runs.backend.next("cleanup").await.id().to_owned());
    }
    // The answer comes after the journal has noted the ends of the connections.
    assert_eq!(owed(&gateway).await, ids.len());
    gateway
}

async fn owed(gateway: &Process) -> usize {
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    let text =
        soon("the list", crate::support::access::get(url)).await.unwrap().text().await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    list["owed"].as_u64().unwrap().try_into().unwrap()
}

fn copy_files(from: &Path, to: &Path) {
    for name in [MAIN, LOG, MARKER] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// Writes the marker as if the machine had been restarted since.
fn restart_machine(journal: &Path) {
    let file = journal.join(MARKER);
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len() - 9;
    let claims = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let other = "00000000-0000-0000-0000-000000000000";
    let claims = claims.replace(boot.trim(), other);
    assert!(claims.contains(other), "{claims}");
    let checksum = format!("{:08x}\n", crc32fast::hash(claims.as_bytes()));
    bytes = [claims.as_bytes(), checksum.as_bytes()].concat();
    fs::write(file, bytes).unwrap();
}

fn damage(file: &Path, damage: Damage, chance: &mut fastrand::Rng) {
    let mut bytes = fs::read(file).unwrap();
    let position = chance.usize(0..bytes.len());
    match damage {
        Damage::Truncate => bytes.truncate(position),
        Damage::Empty => bytes.clear(),
        Damage::Zero => {
            let end = chance.usize(position..bytes.len()) + 1;
            bytes[position..end].fill(0);
        }
        Damage::Flip => bytes[position] ^= 1 << chance.u8(0..8),
        Damage::Remove => return fs::remove_file(file).unwrap(),
    }
    fs::write(file, bytes).unwrap();
}

/// The number between two pieces of a text.
fn number(text: &str, before: &str, after: &str) -> Option<usize> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after)?.0.parse().ok()
}

/// Waits for the cleanups of so many of `ids`. Returns those.
async fn cleaned_up(runs: &GatewayRuns, ids: &BTreeSet<String>, count: usize) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while seen.len() < count {
        let id = runs.backend.next("cleanup").await.id().to_owned();
        if ids.contains(&id) {
            seen.insert(id);
        }
    }
    seen
}

/// The gateway has started: it delivers all but as many as it has logged.
async fn check_started(runs: &GatewayRuns, journal: &Journal, gateway: Process) -> usize {
    soon("the deliveries", async { while owed(&gateway).await > 0 {} }).await;
    gateway.signal(Signal::SIGKILL);
    let log = gateway.ended_with_log().await;
    let missing = number(&log, "up to ", " owed cleanups are missing in").unwrap_or(0);
    let mut seen = BTreeSet::new();
    while runs.backend.was_called("cleanup").await {
        seen.insert(runs.backend.next("cleanup").await.id().to_owned());
    }
    assert_eq!(seen.len(), OWED - missing, "{missing} were logged: {log}");
    assert!(seen.is_subset(&journal.ids));
    missing
}

/// The gateway has refused to start. It starts after the loss was accepted.
async fn check_refused(runs: &GatewayRuns, journal: &Journal, refusal: &str) {
    assert!(refusal.contains("the journal data/journal/cleanups.sqlite is damaged"), "{refusal}");
    assert!(refusal.contains("`gateway journal accept-loss`"), "{refusal}");
    let report = accept_loss(runs).await;
    let read = number(&report, "", " owed cleanups could be read").unwrap();
    let missing = number(&report, "up to ", " of 50 owed cleanups are missing").unwrap_or(0);
    let kept: Vec<_> = fs::read_dir(folder_of(runs))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("damaged-"))
        .collect();
    assert_eq!(kept.len(), 1, "{report}");
    let gateway = runs.start().await;
    let seen = cleaned_up(runs, &journal.ids, OWED - missing).await;
    if refusal.contains("the end of cleanups.sqlite-wal") {
        assert_eq!((seen.len(), read), (OWED - missing, OWED - missing), "{report}");
        let told = number(refusal, "up to ", " of 50 owed cleanups are missing");
        assert_eq!(told, Some(missing), "{refusal}; {report}");
    }
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
}

async fn accept_loss(runs: &GatewayRuns) -> String {
    let mut command = Command::new(binary("gateway"));
    command.args(["journal", "accept-loss"]).current_dir(runs.folder.path());
    let output = soon("the end", command.output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// One random damage.
async fn try_one(
    journals: &[Journal],
    case: usize,
    chance: &mut fastrand::Rng,
    outcomes: &mut Outcomes,
) {
    let journal = &journals[case % journals.len()];
    let is_restarted = chance.bool();
    let kinds = [Damage::Truncate, Damage::Empty, Damage::Zero, Damage::Flip, Damage::Remove];
    let kind = kinds[chance.usize(0..kinds.len())];
    let runs = journal.copied().await;
    let folder = folder_of(&runs);
    if is_restarted {
        restart_machine(&folder);
    }
    let files = [&[MAIN][..], &[LOG], &[MARKER], &[MAIN, LOG]];
    let files = files[chance.usize(0..files.len())];
    for file in files.iter().map(|name| folder.join(name)).filter(|file| file.exists()) {
        damage(&file, kind, chance);
    }
    eprintln!(
        "{case}: {} {:?}, {kind:?} of {files:?}, restarted: {is_restarted}",
        journal.sync, journal.end
    );
    match Process::try_start("gateway", &[], runs.folder.path(), &[]).await {
        Ok(gateway) => match check_started(&runs, journal, gateway).await {
            0 => outcomes.delivered += 1,
            _ => outcomes.logged += 1,
        },
        Err(exit) => {
            assert_eq!(exit.status.code(), Some(1), "{}", exit.stderr);
            check_refused(&runs, journal, &exit.stderr).await;
            outcomes.refused += 1;
        }
    }
    runs.backend.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_damage_loses_a_cleanup_in_silence() {
    let count = env::var("LONGHOLD_DAMAGES").map_or(DAMAGES, |count| count.parse().unwrap());
    let mut journals = Vec::new();
    for end in [End::Killed, End::Closed, End::KilledLater] {
        for sync in ["process", "power"] {
            journals.push(Journal::make(sync, end).await);
        }
    }
    let (mut chance, mut outcomes) = (chance(), Outcomes::default());
    for case in 0..count {
        try_one(&journals, case, &mut chance, &mut outcomes).await;
    }
    eprintln!("{count} damages: {outcomes:?}");
    assert!(outcomes.refused > 0 && outcomes.delivered > 0, "{outcomes:?}");
}

/// The first transactions of a journal are in its log, and still its main file is no new journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_without_its_log_and_marker_is_not_taken_for_a_new_one() {
    let journal = Journal::make("process", End::Killed).await;
    let runs = journal.copied().await;
    for file in [LOG, MARKER] {
        fs::remove_file(folder_of(&runs).join(file)).unwrap();
    }
    let exit = Process::try_start("gateway", &[], runs.folder.path(), &[]).await.err().unwrap();
    assert!(exit.stderr.contains("the journal data/journal/cleanups.sqlite is damaged"));
    runs.backend.stop();
}
