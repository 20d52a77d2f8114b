//! `tls.dev`: a certificate for this machine, made at the start and kept.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use super::BOTH;
use crate::support::{
    process::{Process, run_shell},
    tls::{connect, connector_of, shown},
};

const DEV: (&str, &str) = ("LONGHOLD_GATEWAY__TLS__DEV", "true");

async fn start(folder: &TempDir) -> Process {
    let settings = "[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:0\"\n\
                    [[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"x\"\n";
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    Process::start("gateway", &[], folder.path(), &[DEV]).await
}

/// As docs/operations.md says, with another library for TLS than ours.
async fn ask_with_curl(folder: &TempDir, port: u16) {
    let url = format!("https://localhost:{port}/~/healthz");
    let ask = format!("curl -sS --fail --noproxy '*' --cacert data/tls/ca.pem {url}");
    let exit = run_shell(&ask, folder.path()).await;
    if exit.status.code() == Some(127) {
        return skipped::without("no curl: apt-get install curl");
    }
    assert!(exit.status.success(), "{}", exit.stderr);
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_connects_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("data/tls");
    let process = start(&folder).await;
    process.logged("ca.pem as an authority").await;
    let connector = connector_of(&made.join("ca.pem"), &BOTH);
    let first = shown(&connect(&connector, process.address("public"), "localhost").await);
    assert_eq!(mode(&made.join("key.pem")), 0o600);
    let mut names: Vec<_> =
        fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ca.pem", "cert.pem", "key.pem"], "the key of the authority is gone");
    ask_with_curl(&folder, process.address("public").port()).await;
    drop(process);

    let process = start(&folder).await;
    process.logged("tls.dev uses the certificate of before").await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        // Without a session to resume.
        let connector = connector_of(&made.join("ca.pem"), &BOTH);
        let again = shown(&connect(&connector, process.address("public"), name).await);
        assert_eq!(again, first, "{name}");
    }
    drop(process);

    // A file that is missing: all are made anew.
    fs::remove_file(made.join("key.pem")).unwrap();
    let process = start(&folder).await;
    let connector = connector_of(&made.join("ca.pem"), &BOTH);
    let new = shown(&connect(&connector, process.address("public"), "localhost").await);
    assert_ne!(new, first);
}
