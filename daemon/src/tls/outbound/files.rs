//! The files for TLS of what is called, and what is wrong with them.

use std::{path::PathBuf, time::SystemTime};

use super::{
    super::{authorities::Authorities, files::PairFiles, pair::Pair},
    OutboundTlsSettings,
};
use crate::settings::{Origins, Problem, SettingsError};

/// The files, and where they are set.
#[derive(Debug)]
pub(super) struct OutboundFiles {
    settings: OutboundTlsSettings,
    table: String,
    origins: Origins,
}

/// What the files have.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) authorities: Option<Authorities>,
    pub(super) pair: Option<Pair>,
}

impl OutboundFiles {
    pub(super) fn new(settings: OutboundTlsSettings, table: &str, origins: Origins) -> Self {
        Self { settings, table: table.to_owned(), origins }
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let OutboundTlsSettings { ca, cert, key } = &self.settings;
        [ca, cert, key].into_iter().flatten().cloned().collect()
    }

    /// Reads all files. What is not valid at `now` is an error.
    pub(super) fn read(&self, now: SystemTime) -> Result<Contents, SettingsError> {
        let OutboundTlsSettings { ca, cert, key } = &self.settings;
        let mut problems = Vec::new();
        let authorities = ca.as_ref().and_then(|file| {
            let authorities = Authorities::read(file).and_then(|read| match read.problem(now) {
                Some(what) => Err(format!("the certificate in {} {what}", file.display())),
                None => Ok(read),
            });
            authorities.map_err(|what| problems.push(self.problem("ca", what))).ok()
        });
        let files = cert.clone().zip(key.clone()).map(|(cert, key)| PairFiles { cert, key });
        let pair = files.and_then(|files| match Pair::read(&files) {
            Ok(pair) => {
                if let Some(what) = pair.validity.problem(now) {
                    let what = format!("the certificate in {} {what}", pair.cert.display());
                    problems.push(self.problem("cert", what));
                }
                Some(pair)
            }
            Err(found) => {
                problems.extend(found.into_iter().map(|it| self.problem(it.key, it.what)));
                None
            }
        });
        if problems.is_empty() {
            Ok(Contents { authorities, pair })
        } else {
            Err(SettingsError(problems))
        }
    }

    /// An error of the value at `key`.
    pub(super) fn error(&self, key: &str, what: String) -> SettingsError {
        SettingsError(vec![self.problem(key, what)])
    }

    fn problem(&self, key: &str, what: String) -> Problem {
        self.origins.problem(&format!("{}.{key}", self.table), what)
    }
}
