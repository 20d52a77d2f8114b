//! Files with the certificates that functions trust: the authorities of the system, and ours.
//!
//! Some variables replace the authorities of the system, so one file has both. Everybody can read
//! the files: they have no secret.

use std::{
    fs::{self, DirBuilder, DirEntry, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::Uid;
use tracing::{debug, warn};
use uuid::Uuid;

/// Where systems keep the authorities that they trust, in one file.
const OF_SYSTEMS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roots {
    pub(crate) folder: PathBuf,
    /// The authorities of the system, and ours.
    all: PathBuf,
    /// Ours alone.
    own: PathBuf,
}

/// The files, which are removed when this is dropped.
#[derive(Debug)]
pub(super) struct RootFiles {
    pub(super) roots: Roots,
    /// What cleans `/tmp` leaves a locked folder alone, however old it is (tmpfiles.d(5)), and so
    /// do other runners.
    _lock: File,
}

/// Not in a folder of the runner's, which other users may not enter.
const PLACE: &str = "/tmp";
const PREFIX: &str = "longhold-roots-";

impl RootFiles {
    /// Writes the files, with `authority` as ours, in PEM.
    pub(super) fn write(authority: &str) -> io::Result<Self> {
        remove_left();
        let name = Uuid::new_v4().simple().to_string();
        let folder = Path::new(PLACE).join(format!("{PREFIX}{name}"));
        // Under another name until it is locked, so that no other runner takes it for a rest.
        let draft = Path::new(PLACE).join(format!(".{PREFIX}{name}"));
        // Whoever has prepared this name is not followed.
        DirBuilder::new().mode(0o700).create(&draft)?;
        let lock = File::open(&draft)?;
        lock.lock()?;
        fs::rename(&draft, &folder)?;
        let (all, own) = (folder.join("all.pem"), folder.join("own.pem"));
        let files = Self { roots: Roots { folder, all, own }, _lock: lock };
        let Roots { folder, all, own } = &files.roots;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let system = system().unwrap_or_else(|| {
            warn!(
                "the authorities of the system are in none of the files that are known: functions \
                 trust the authority for the cloud's names alone"
            );
            String::new()
        });
        put(all, &format!("{}\n{authority}", system.trim_end()))?;
        put(own, authority)?;
        Ok(files)
    }
}

impl Drop for RootFiles {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.roots.folder) {
            debug!(%error, "the files of authorities were not removed");
        }
    }
}

/// Removes the folders of runners of this user that were killed: nobody locks them.
fn remove_left() {
    let Ok(entries) = fs::read_dir(PLACE) else { return };
    for folder in entries.flatten().filter(is_of_roots).map(|entry| entry.path()) {
        let is_left = File::open(&folder).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_left && fs::remove_dir_all(&folder).is_ok() {
            debug!(path = %folder.display(), "files of authorities of a runner that is gone removed");
        }
    }
}

/// Whether a runner of this user has made the folder.
fn is_of_roots(entry: &DirEntry) -> bool {
    let has_name = entry.file_name().to_string_lossy().starts_with(PREFIX);
    has_name
        && entry.metadata().is_ok_and(|it| it.is_dir() && it.uid() == Uid::effective().as_raw())
}

impl Roots {
    /// The variables by which programs and libraries find the authorities that they trust.
    pub(crate) fn variables(&self) -> [(&'static str, &Path); 4] {
        [
            ("SSL_CERT_FILE", &self.all),
            ("REQUESTS_CA_BUNDLE", &self.all),
            ("CURL_CA_BUNDLE", &self.all),
            // Node adds these to its own.
            ("NODE_EXTRA_CA_CERTS", &self.own),
        ]
    }

    pub(super) fn all(&self) -> &Path {
        &self.all
    }
}

fn system() -> Option<String> {
    OF_SYSTEMS.iter().find_map(|file| fs::read_to_string(file).ok())
}

fn put(file: &Path, text: &str) -> io::Result<()> {
    fs::write(file, text)?;
    // Whatever the umask is.
    fs::set_permissions(file, Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_users_can_read_the_files_until_they_are_removed() {
        let files = RootFiles::write("-----BEGIN CERTIFICATE-----").unwrap();
        let roots = files.roots.clone();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&roots.folder), mode(&roots.all), mode(&roots.own)),
            (0o755, 0o644, 0o644)
        );
        let [all, own] = [&roots.all, &roots.own].map(|file| fs::read_to_string(file).unwrap());
        assert!(all.ends_with(&own), "{own}");
        drop(files);
        assert!(!roots.folder.exists());
    }

    #[test]
    fn what_a_killed_runner_has_left_is_removed_and_what_a_running_one_uses_is_not() {
        let running = RootFiles::write("").unwrap();
        let left = PathBuf::from(format!("{PLACE}/{PREFIX}{}", Uuid::new_v4().simple()));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("all.pem"), "").unwrap();
        let other = RootFiles::write("").unwrap();
        assert!(!left.exists());
        assert!(running.roots.all.exists() && other.roots.all.exists());
    }
}
