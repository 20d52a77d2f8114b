//! Files with the certificates that functions trust: the authorities of the system, and ours.
//!
//! Some variables replace the authorities of the system, so one file has both. Everybody can read
//! the files: they have no secret.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

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
pub(super) struct RootFiles(pub(super) Roots);

impl RootFiles {
    /// Writes the files, with `authority` as ours, in PEM.
    pub(super) fn write(authority: &str) -> io::Result<Self> {
        // Not in a folder of the runner's, which other users may not enter.
        let folder = PathBuf::from(format!("/tmp/longhold-roots-{}", Uuid::new_v4().simple()));
        // Whoever has prepared this name is not followed.
        DirBuilder::new().mode(0o755).create(&folder)?;
        let (all, own) = (folder.join("all.pem"), folder.join("own.pem"));
        let files = Self(Roots { folder, all, own });
        let Roots { folder, all, own } = &files.0;
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
        if let Err(error) = fs::remove_dir_all(&self.0.folder) {
            debug!(%error, "the files of authorities were not removed");
        }
    }
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
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::RootFiles;

    #[test]
    fn all_users_can_read_the_files_until_they_are_removed() {
        let files = RootFiles::write("-----BEGIN CERTIFICATE-----").unwrap();
        let roots = files.0.clone();
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
}
