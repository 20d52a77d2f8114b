//! `tls.dev`: a certificate for this machine, from an authority that ends with its making.
//!
//! The files stay, so that a browser is told once and not at each start. They are used only if
//! nobody else can have made them.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tracing::info;

use super::{files::PairFiles, own_files::write, pair::Pair};
use crate::{
    access::{Others, is_own, problem_of_own_folder},
    authority::{Authority, vouches},
    settings::{open_file, read_bytes},
};

/// The names of this machine for itself.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How the authority is called in the lists of a browser.
const TITLE: &str = "longhold tls.dev";
/// How long a certificate is valid.
const TIME: Duration = Duration::from_hours(397 * 24);
/// A certificate with less is made anew at a start.
const LEFT_MIN: Duration = Duration::from_hours(30 * 24);
/// The longest file of the authority.
const BYTES_MAX: u64 = 64 << 10;
/// How long another process may take to make the files, and how often it is asked.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// The files of the certificate in `dir`, made if they cannot be used any more.
pub(super) fn prepare(dir: &Path, now: SystemTime) -> io::Result<PairFiles> {
    DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
    let folder = File::open(dir)?;
    // Whoever can write to the folder can put an authority there that signs for every name.
    if let Some(what) = problem_of_own_folder(&folder.metadata()?, Others::Read) {
        return Err(io::Error::other(format!("it {what}")));
    }
    // Until `folder` is closed. Two starts at once would leave an authority of one of them and a
    // certificate of the other.
    lock(&folder)?;
    let [authority, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| dir.join(name));
    let files = PairFiles { cert, key };
    let shown = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()).join("ca.pem");
    let shown = shown.display();
    if is_good(&files, &authority, now) {
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

fn lock(folder: &File) -> io::Result<()> {
    let end = Instant::now() + LOCK_TIMEOUT;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another process has it locked"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether the files are this user's, belong together, are for this machine only, and are valid for
/// a while.
fn is_good(files: &PairFiles, authority: &Path, now: SystemTime) -> bool {
    let is_own =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && is_own(&file));
    if ![authority, &files.cert, &files.key].into_iter().all(is_own) {
        return false;
    }
    let (Ok(pair), Ok(authority)) = (Pair::read(files), read_authority(authority)) else {
        return false;
    };
    pair.chain()
        .first()
        .is_some_and(|certificate| vouches(&authority, certificate, &NAMES, now + LEFT_MIN))
}

fn read_authority(file: &Path) -> io::Result<CertificateDer<'static>> {
    let bytes = read_bytes(&open_file(file)?, BYTES_MAX, "64 KiB")?;
    CertificateDer::from_pem_slice(&bytes).map_err(io::Error::other)
}

fn make(files: &PairFiles, authority: &Path, now: SystemTime) -> io::Result<()> {
    let made = Authority::new(TITLE, &NAMES, now, TIME).and_then(|authority| {
        let issued = authority.issue(&NAMES)?;
        Ok((authority.certificate(), issued))
    });
    let (certificate, issued) = made.map_err(io::Error::other)?;
    // After a crash in between, the files do not belong together, and are made anew.
    write(&files.key, 0o600, &issued.key)?;
    write(&files.cert, 0o644, &issued.certificate)?;
    write(authority, 0o644, &certificate)
}

#[cfg(test)]
mod tests;
