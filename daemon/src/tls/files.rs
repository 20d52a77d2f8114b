//! The files of all certificates of a listener, and what is wrong with them.

use std::{path::PathBuf, time::SystemTime};

use super::{authorities::Authorities, pair::Pair};
use crate::settings::{Origins, Problem, SettingsError};

/// The files of a listener, and where they are set.
#[derive(Debug)]
pub(super) struct Files {
    pairs: Vec<PairFiles>,
    client_ca: Option<PathBuf>,
    table: String,
    origins: Origins,
}

/// The two files of one certificate.
#[derive(Debug)]
pub(super) struct PairFiles {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// What the files have.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) pairs: Vec<Pair>,
    pub(super) client_ca: Option<Authorities>,
}

/// A problem with a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileProblem {
    /// The key of the settings that names the file.
    pub(super) key: &'static str,
    pub(super) what: String,
}

impl Files {
    pub(super) fn new(
        pairs: Vec<PairFiles>,
        client_ca: Option<PathBuf>,
        table: &str,
        origins: Origins,
    ) -> Self {
        Self { pairs, client_ca, table: table.to_owned(), origins }
    }

    /// All files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let pairs = self.pairs.iter().flat_map(|pair| [pair.cert.clone(), pair.key.clone()]);
        pairs.chain(self.client_ca.clone()).collect()
    }

    /// Reads all certificates with their keys.
    pub(super) fn read(&self) -> Result<Contents, SettingsError> {
        let (mut pairs, mut problems) = (Vec::<Pair>::new(), Vec::new());
        for files in &self.pairs {
            let pair = match Pair::read(files) {
                Ok(pair) => pair,
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| self.problem(problem)));
                    continue;
                }
            };
            for other in &pairs {
                if let Some(name) = pair.names.iter().find(|name| other.names.contains(name)) {
                    let what = format!(
                        "{} and {} both have the name {name}; use one certificate for each name",
                        other.cert.display(),
                        pair.cert.display(),
                    );
                    problems.push(self.problem(FileProblem { key: "cert", what }));
                }
            }
            pairs.push(pair);
        }
        let client_ca = self.client_ca.as_ref().and_then(|file| {
            let problem = |what| self.problem(FileProblem { key: "client_ca", what });
            Authorities::read(file).map_err(|what| problems.push(problem(what))).ok()
        });
        if problems.is_empty() {
            Ok(Contents { pairs, client_ca })
        } else {
            Err(SettingsError(problems))
        }
    }

    /// An error if one of the certificates is not valid at `now`.
    pub(super) fn check_validity(
        &self,
        contents: &Contents,
        now: SystemTime,
    ) -> Result<(), SettingsError> {
        let Contents { pairs, client_ca } = contents;
        let own = pairs
            .iter()
            .filter_map(|pair| Some(("cert", pair.cert.display(), pair.validity.problem(now)?)));
        let of_clients = self.client_ca.iter().zip(client_ca).filter_map(|(file, authorities)| {
            Some(("client_ca", file.display(), authorities.problem(now)?))
        });
        let problems = own.chain(of_clients).map(|(key, file, what)| {
            let what = format!("the certificate in {file} {what}");
            self.problem(FileProblem { key, what })
        });
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
    }

    fn problem(&self, FileProblem { key, what }: FileProblem) -> Problem {
        self.origins.problem(&format!("{}.{key}", self.table), what)
    }
}
