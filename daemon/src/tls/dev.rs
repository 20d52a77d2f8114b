//! `tls.dev`: a certificate for this machine, from an authority that ends with its making.
//!
//! The files stay, so that a browser is told once and not at each start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use tracing::info;

use super::{files::PairFiles, pair::Pair};
use crate::authority::Authority;

/// The names of this machine for itself.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How the authority is called in the lists of a browser.
const TITLE: &str = "longhold tls.dev";
/// How long a certificate is valid.
const TIME: Duration = Duration::from_hours(397 * 24);
/// A certificate with less is made anew at a start.
const LEFT_MIN: Duration = Duration::from_hours(30 * 24);

/// The files of the certificate in `dir`, made if they cannot be used any more.
pub(super) fn prepare(dir: &Path, now: SystemTime) -> io::Result<PairFiles> {
    let [authority, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| dir.join(name));
    let files = PairFiles { cert, key };
    let is_good = authority.exists()
        && Pair::read(&files).is_ok_and(|pair| pair.validity.problem(now + LEFT_MIN).is_none());
    let shown = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()).join("ca.pem");
    let shown = shown.display();
    if is_good {
        info!("tls.dev uses the certificate of before: a browser that trusts {shown} goes on");
        return Ok(files);
    }
    make(&files, &authority, now)?;
    info!(
        "tls.dev has made a certificate for {}: have your browser trust {shown} as an authority, and \
         use curl with --cacert {shown}",
        NAMES.join(", "),
    );
    Ok(files)
}

fn make(files: &PairFiles, authority: &Path, now: SystemTime) -> io::Result<()> {
    let made = Authority::new(TITLE, &NAMES, now, TIME).and_then(|authority| {
        let issued = authority.issue(&NAMES)?;
        Ok((authority.certificate(), issued))
    });
    let (certificate, issued) = made.map_err(io::Error::other)?;
    if let Some(dir) = authority.parent() {
        fs::create_dir_all(dir)?;
    }
    // A crash in between leaves no certificate, so that all files are made anew.
    remove(&files.cert)?;
    write(authority, 0o644, &certificate)?;
    write(&files.key, 0o600, &issued.key)?;
    write(&files.cert, 0o644, &issued.certificate)
}

fn write(file: &Path, mode: u32, text: &str) -> io::Result<()> {
    // The mode counts only for a file that is new.
    remove(file)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(file)?;
    file.write_all(text.as_bytes())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
