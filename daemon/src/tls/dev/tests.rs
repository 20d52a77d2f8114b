//! Folders that somebody else has prepared, and starts at the same time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs::Permissions, os::unix::fs::PermissionsExt, thread};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

fn files(dir: &Path) -> (PairFiles, std::path::PathBuf) {
    let files = PairFiles { cert: dir.join("cert.pem"), key: dir.join("key.pem") };
    (files, dir.join("ca.pem"))
}

#[track_caller]
fn assert_good(dir: &Path) {
    let (files, authority) = files(dir);
    assert!(is_good(&files, &authority, SystemTime::now()));
}

/// A folder with the files of a start.
fn prepared() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), SystemTime::now()).unwrap();
    let authority = fs::read_to_string(folder.path().join("ca.pem")).unwrap();
    (folder, authority)
}

/// The next start replaces the authority in `folder`.
#[track_caller]
fn assert_replaced(folder: &Path) {
    let before = fs::read_to_string(folder.join("ca.pem")).unwrap();
    prepare(folder, SystemTime::now()).unwrap();
    assert_ne!(fs::read_to_string(folder.join("ca.pem")).unwrap(), before);
    assert_good(folder);
}

#[test]
fn the_files_of_a_start_are_used_until_they_end_soon() {
    let (folder, authority) = prepared();
    let now = SystemTime::now();
    prepare(folder.path(), now).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("ca.pem")).unwrap(), authority);
    prepare(folder.path(), now + TIME - LEFT_MIN + Duration::from_secs(60)).unwrap();
    assert_ne!(fs::read_to_string(folder.path().join("ca.pem")).unwrap(), authority);
}

/// Whoever has the key of such an authority can be every server for a browser that trusts it.
#[test]
fn an_authority_for_all_names_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut own = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    own.not_after = (SystemTime::now() + TIME).into();
    let key = KeyPair::generate().unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    let (files, authority) = files(folder.path());
    write(&authority, 0o644, &issuer.pem()).unwrap();
    write(&files.cert, 0o644, &certificate.pem()).unwrap();
    write(&files.key, 0o600, &key.serialize_pem()).unwrap();
    assert_replaced(folder.path());
}

#[test]
fn an_authority_that_has_not_signed_the_certificate_is_replaced() {
    let ((folder, _), (_other, authority)) = (prepared(), prepared());
    fs::write(folder.path().join("ca.pem"), authority).unwrap();
    assert_replaced(folder.path());
    fs::write(folder.path().join("ca.pem"), "no authority").unwrap();
    assert_replaced(folder.path());
}

#[test]
fn starts_at_the_same_time_leave_files_that_belong_together() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data/tls");
        thread::scope(|scope| {
            let start = || scope.spawn(|| prepare(&dir, SystemTime::now()).unwrap());
            for start in [start(), start(), start(), start()] {
                start.join().unwrap();
            }
        });
        assert_good(&dir);
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let (folder, _) = prepared();
    for mode in [0o777, 0o775, 0o1777] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let problem = prepare(folder.path(), SystemTime::now()).unwrap_err().to_string();
        assert!(problem.contains("so that others may write to it"), "{problem}");
    }
}

/// Links lead to files that may change later.
#[test]
fn a_link_in_place_of_a_file_is_replaced() {
    let ((folder, _), (other, _)) = (prepared(), prepared());
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::remove_file(folder.path().join(name)).unwrap();
        std::os::unix::fs::symlink(other.path().join(name), folder.path().join(name)).unwrap();
    }
    assert_replaced(folder.path());
    assert_good(other.path());
}
