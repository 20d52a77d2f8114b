//! Certificates and keys that cannot be used: each is named, with what would be right.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    time::{Duration, UNIX_EPOCH},
};

use nix::{sys::stat::Mode, unistd::mkfifo};
use tokio::{task::yield_now, time::timeout};

use super::{Tls, pair::Pair, testing::TestAuthority};
use crate::settings::{Problem, SettingsError};

const TWO: &str = "cert = [\"a.pem\", \"b.pem\"]\nkey = [\"a.key\", \"b.key\"]";
const ONE: &str = "cert = \"a.pem\"\nkey = \"a.key\"";

/// A date of which the certificates of these tests have both ends in the past, or in the future.
fn at(seconds: u64) -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// `table` is refused with these problems, in which `DIR` stands for the folder of the files.
#[track_caller]
fn refused(authority: &TestAuthority, table: &str, problems: &[&str]) {
    let SettingsError(found) = authority.open(table).unwrap_err();
    let folder = authority.folder.path().to_str().unwrap();
    let found: Vec<_> =
        found.iter().map(Problem::to_string).map(|text| text.replace(folder, "DIR")).collect();
    assert_eq!(found, problems);
}

/// One way to spoil the files `a.pem` and `a.key`, and what is said then.
type Case = (fn(&TestAuthority), &'static [&'static str]);

const CASES: &[Case] = &[
    (
        |files| fs::remove_file(files.path("a.pem")).unwrap(),
        &["server.toml: tls.cert: DIR/a.pem does not exist; use a file that does"],
    ),
    (
        |files| {
            files.write("a.pem", " \n");
            files.write("a.key", "");
        },
        &[
            "server.toml: tls.cert: DIR/a.pem is empty; use a file in PEM",
            "server.toml: tls.key: DIR/a.key is empty; use a file in PEM",
        ],
    ),
    (
        |files| files.write("a.pem", "hello"),
        &["server.toml: tls.cert: DIR/a.pem has no certificate; use a file in PEM with \
           -----BEGIN CERTIFICATE-----"],
    ),
    (
        |files| files.write("a.key", "hello"),
        &["server.toml: tls.key: DIR/a.key has no key; use a file in PEM with \
           -----BEGIN PRIVATE KEY-----"],
    ),
    (
        |files| {
            fs::rename(files.path("a.pem"), files.path("x")).unwrap();
            fs::rename(files.path("a.key"), files.path("a.pem")).unwrap();
            fs::rename(files.path("x"), files.path("a.key")).unwrap();
        },
        &[
            "server.toml: tls.cert: DIR/a.pem has a key and no certificate; use a file in PEM with \
             -----BEGIN CERTIFICATE-----",
            "server.toml: tls.key: DIR/a.key has a certificate and no key; use a file in PEM with \
             -----BEGIN PRIVATE KEY-----",
        ],
    ),
    (
        |files| {
            files
                .write("a.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----");
        },
        &["server.toml: tls.cert: the certificate in DIR/a.pem is not valid; use the file as its \
           authority made it"],
    ),
    (
        |files| files.permit("a.key", 0o604),
        &["server.toml: tls.key: DIR/a.key has the permissions 604, so that other users of this \
           machine can read or change it; use 600 or 640: chmod 600 DIR/a.key; in a volume of \
           Kubernetes defaultMode: 0440, for a secret of Swarm mode: 0400"],
    ),
    (
        |files| files.permit("a.key", 0o620),
        &["server.toml: tls.key: DIR/a.key has the permissions 620, so that other users of this \
           machine can read or change it; use 600 or 640: chmod 600 DIR/a.key; in a volume of \
           Kubernetes defaultMode: 0440, for a secret of Swarm mode: 0400"],
    ),
    (
        |files| fs::write(files.path("a.pem"), b"\x30\x82\xff").unwrap(),
        &["server.toml: tls.cert: DIR/a.pem is not text; use a file in PEM"],
    ),
    (
        |files| {
            let long = fs::File::create(files.path("a.pem")).unwrap();
            long.set_len(2 << 20).unwrap();
        },
        &[
            "server.toml: tls.cert: DIR/a.pem cannot be read: it is longer than 1 MiB; use a file in \
           PEM",
        ],
    ),
    // Nobody writes to the pipe: reading it would never end.
    (
        |files| {
            fs::remove_file(files.path("a.key")).unwrap();
            mkfifo(&files.path("a.key"), Mode::S_IRWXU).unwrap();
        },
        &[
            "server.toml: tls.key: DIR/a.key cannot be read: it is a pipe (FIFO), not a file; use a \
           file in PEM",
        ],
    ),
    (
        |files| {
            for name in ["a.pem", "a.key"] {
                fs::remove_file(files.path(name)).unwrap();
                std::os::unix::fs::symlink("/dev/zero", files.path(name)).unwrap();
            }
        },
        &[
            "server.toml: tls.cert: DIR/a.pem cannot be read: it is a device, not a file; use a \
             file in PEM",
            "server.toml: tls.key: DIR/a.key cannot be read: it is a device, not a file; use a \
             file in PEM",
        ],
    ),
    (
        |files| {
            let head = "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n";
            files.write("a.key", &format!("{head}-----END ENCRYPTED PRIVATE KEY-----\n"));
        },
        &["server.toml: tls.key: the key in DIR/a.key is encrypted, and nobody is asked for its \
           passphrase; use a key without one: openssl pkey -in DIR/a.key -out FILE"],
    ),
    (
        |files| {
            files.issue("b", &["b.example"]);
            fs::rename(files.path("b.key"), files.path("a.key")).unwrap();
        },
        &["server.toml: tls.key: the key in DIR/a.key does not belong to the certificate in \
           DIR/a.pem; use the key that this certificate was made with"],
    ),
    (
        |files| {
            let key = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----";
            files.write("a.key", key);
        },
        &[
            "server.toml: tls.key: the key in DIR/a.key cannot be used; use a key of the kind ECDSA \
           (P-256, P-384 or P-521), Ed25519 or RSA (2048 bits or more)",
        ],
    ),
    (
        |files| files.issue_for("a", &["a.example"], at(1_000_000_000), at(1_100_000_000)),
        &["server.toml: tls.cert: the certificate in DIR/a.pem expired at 2004-11-09T11:33:20Z; \
           renew it"],
    ),
    (
        |files| files.issue_for("a", &["a.example"], at(5_000_000_000), at(5_100_000_000)),
        &["server.toml: tls.cert: the certificate in DIR/a.pem is valid from \
           2128-06-11T08:53:20Z on only; look at the clock of this machine"],
    ),
];

#[test]
fn files_that_cannot_be_used_are_named() {
    for (spoil, problems) in CASES {
        let authority = TestAuthority::new();
        authority.issue("a", &["a.example"]);
        assert!(authority.open(ONE).unwrap().is_some(), "they can be used before");
        spoil(&authority);
        refused(&authority, ONE, problems);
    }
}

#[test]
fn a_file_that_is_a_folder_is_named() {
    let authority = TestAuthority::new();
    authority.issue("a", &["a.example"]);
    fs::create_dir(authority.path("dir")).unwrap();
    refused(
        &authority,
        "cert = \"dir\"\nkey = \"dir\"",
        &[
            "server.toml: tls.cert: DIR/dir cannot be read: it is a folder, not a file; use a file in \
             PEM",
            "server.toml: tls.key: DIR/dir cannot be read: it is a folder, not a file; use a file in \
             PEM",
        ],
    );
}

#[test]
fn two_certificates_of_one_name_are_refused() {
    let authority = TestAuthority::new();
    authority.issue("a", &["a.example", "both.example"]);
    authority.issue("b", &["Both.Example"]);
    refused(
        &authority,
        TWO,
        &[
            "server.toml: tls.cert: DIR/a.pem and DIR/b.pem both have the name both.example; use one \
           certificate for each name",
        ],
    );
}

/// Clients that ask for an address name none in their handshake.
#[test]
fn a_certificate_for_addresses_only_is_the_first_one() {
    let authority = TestAuthority::new();
    authority.issue("a", &["127.0.0.1"]);
    authority.issue("b", &["b.example"]);
    assert!(authority.open(TWO).unwrap().is_some());
    authority.issue("a", &["a.example"]);
    authority.issue("b", &["127.0.0.1"]);
    refused(
        &authority,
        TWO,
        &[
            "server.toml: tls.cert: DIR/b.pem is for no host name, and only the first certificate is \
           for clients that ask for none; put it first",
        ],
    );
}

/// Its client may know another chain, so it does not end the start.
#[test]
fn the_certificate_of_a_chain_that_ends_first_is_known() {
    let authority = TestAuthority::new();
    authority.issue_for("a", &["a.example"], at(1_000_000_000), at(5_000_000_000));
    authority.issue_for("between", &["x"], at(1_000_000_000), at(1_100_000_000));
    let [own, between] =
        ["a.pem", "between.pem"].map(|name| fs::read_to_string(authority.path(name)).unwrap());
    authority.write("a.pem", &format!("{own}{between}"));
    let tls = authority.open(ONE).unwrap().unwrap();
    let pair = &tls.choice.pairs()[0];
    assert_eq!(pair.validity.end().to_string(), "2128-06-11T08:53:20Z");
    assert_eq!(pair.chain_validity.end().to_string(), "2004-11-09T11:33:20Z");
}

fn in_use(tls: &Tls, pairs: &[Pair]) -> bool {
    tls.choice.pairs().iter().map(Pair::chain).eq(pairs.iter().map(Pair::chain))
}

/// One certificate that cannot be used does not keep another from being renewed.
#[tokio::test]
async fn each_certificate_is_exchanged_for_itself() {
    let authority = TestAuthority::new();
    authority.issue("a", &["a.example"]);
    authority.issue("b", &["b.example"]);
    let tls = authority.open(TWO).unwrap().unwrap();
    let old = tls.files.read().unwrap().pairs;
    authority.issue("a", &["a.example"]);
    let new = [tls.files.read().unwrap().pairs[0].clone(), old[1].clone()];
    for spoil in [
        |files: &TestAuthority| files.write("b.pem", "hello"),
        |files: &TestAuthority| {
            files.issue_for("b", &["b.example"], at(1_000_000_000), at(1_100_000_000));
        },
    ] {
        spoil(&authority);
        tls.exchange().await.unwrap_err();
        assert!(in_use(&tls, &new));
    }
    // A name that another one has: both stay.
    authority.issue("b", &["a.example"]);
    tls.exchange().await.unwrap_err();
    assert!(in_use(&tls, &new));
    authority.issue("b", &["b.example"]);
    tls.exchange().await.unwrap();
    assert!(in_use(&tls, &tls.files.read().unwrap().pairs));
}

#[test]
fn each_certificate_needs_a_key() {
    let authority = TestAuthority::new();
    let what = "use one key for each certificate, in the same order";
    let without_key = format!("server.toml: tls.key: tls.cert has 1 files and tls.key 0; {what}");
    refused(&authority, "cert = \"a.pem\"", &[&without_key]);
    let without_cert = format!("server.toml: tls.cert: tls.cert has 0 files and tls.key 2; {what}");
    refused(&authority, "key = [\"a.key\", \"b.key\"]", &[&without_cert]);
    assert!(authority.open("").unwrap().is_none(), "there is no TLS without a certificate");
}

/// The files are watched only when the certificates were read.
#[tokio::test]
async fn files_that_changed_before_they_were_watched_are_used() {
    let authority = TestAuthority::new();
    authority.issue("a", &["localhost"]);
    let tls = authority.open(ONE).unwrap().unwrap();
    authority.issue("a", &["localhost"]);
    let new = tls.files.read().unwrap();
    let used = async {
        while !in_use(&tls, &new.pairs) {
            yield_now().await;
        }
    };
    tokio::select! {
        () = tls.follow(true) => panic!("ended"),
        used = timeout(Duration::from_mins(1), used) => used.unwrap(),
    }
}

/// What `[internal_tls]` of this text says is refused with these problems.
#[track_caller]
fn refused_internal(authority: &TestAuthority, table: &str, problems: &[&str]) {
    let SettingsError(found) = authority.open_internal(table).unwrap_err();
    let folder = authority.folder.path().to_str().unwrap();
    let found: Vec<_> =
        found.iter().map(Problem::to_string).map(|text| text.replace(folder, "DIR")).collect();
    assert_eq!(found, problems);
}

#[test]
fn authorities_of_clients_that_cannot_be_used_are_named() {
    let authority = TestAuthority::new();
    authority.issue("a", &["a.example"]);
    authority.issue_authority("old", at(1_000_000_000), at(1_100_000_000));
    authority.write("open.pem", "");
    let open = Permissions::from_mode(0o666);
    fs::set_permissions(authority.path("open.pem"), open).unwrap();
    let with = |file: &str| format!("{ONE}\nclient_ca = {file:?}");
    for (file, problem) in [
        ("missing", "DIR/missing does not exist; use a file that does"),
        (
            "a.key",
            "DIR/a.key has a key and no certificate; use a file in PEM with -----BEGIN \
             CERTIFICATE-----",
        ),
        (
            "a.pem",
            "DIR/a.pem has a certificate that is not one of an authority; use the certificate of the \
             authority, and not one that it has signed",
        ),
        (
            "open.pem",
            "DIR/open.pem has the permissions 666, so that other users of this machine can change it; \
             let only its owner write it: chmod 644 DIR/open.pem",
        ),
        ("old.pem", "the certificate in DIR/old.pem expired at 2004-11-09T11:33:20Z; renew it"),
    ] {
        let problem = format!("server.toml: internal_tls.client_ca: {problem}");
        refused_internal(&authority, &with(file), &[&problem]);
    }
    let alone = "server.toml: internal_tls.client_ca: is set without a certificate of the listener; \
                 set internal_tls.cert and internal_tls.key too";
    refused_internal(&authority, "client_ca = \"a.pem\"", &[alone]);
    let half = "server.toml: internal_tls.key: internal_tls.cert has 1 files and internal_tls.key 0; \
                use one key for each certificate, in the same order";
    refused_internal(&authority, "cert = \"a.pem\"", &[half]);
}

#[test]
fn files_for_calls_that_cannot_be_used_are_named() {
    let authority = TestAuthority::new();
    authority.issue("a", &["a.example"]);
    authority.issue_for("old", &["a.example"], at(1_000_000_000), at(1_100_000_000));
    for (table, problem) in [
        ("cert = \"a.pem\"", "outbound_tls.cert: is set without key; set both, or none of them"),
        ("key = \"a.key\"", "outbound_tls.key: is set without cert; set both, or none of them"),
        ("ca = \"missing\"", "outbound_tls.ca: DIR/missing does not exist; use a file that does"),
        (
            "cert = \"old.pem\"\nkey = \"old.key\"",
            "outbound_tls.cert: the certificate in DIR/old.pem expired at 2004-11-09T11:33:20Z; renew \
             it",
        ),
    ] {
        let SettingsError(found) = authority.open_outbound(table).unwrap_err();
        let folder = authority.folder.path().to_str().unwrap();
        let found: Vec<_> = found.iter().map(|it| it.to_string().replace(folder, "DIR")).collect();
        assert_eq!(found, [format!("server.toml: {problem}")]);
    }
    assert!(authority.open_outbound("").unwrap().is_none());
}
