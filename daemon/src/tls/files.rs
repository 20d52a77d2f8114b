//! The files of all certificates of a listener, and what is wrong with them.

use std::{path::PathBuf, time::SystemTime};

use super::pair::Pair;
use crate::settings::{Origins, Problem, SettingsError};

/// The files of certificates and keys, and where they are set.
#[derive(Debug)]
pub(super) struct Files {
    pairs: Vec<PairFiles>,
    table: String,
    origins: Origins,
}

/// The two files of one certificate.
#[derive(Debug)]
pub(super) struct PairFiles {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// A problem with a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileProblem {
    /// The key of the settings that names the file.
    pub(super) key: &'static str,
    pub(super) what: String,
}

impl Files {
    pub(super) fn new(pairs: Vec<PairFiles>, table: &str, origins: Origins) -> Self {
        Self { pairs, table: table.to_owned(), origins }
    }

    /// All files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.pairs.iter().flat_map(|pair| [pair.cert.clone(), pair.key.clone()]).collect()
    }

    /// Reads all certificates with their keys.
    pub(super) fn read(&self) -> Result<Vec<Pair>, SettingsError> {
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
        if problems.is_empty() { Ok(pairs) } else { Err(SettingsError(problems)) }
    }

    /// An error if one of `pairs` is not valid at `now`.
    pub(super) fn check_validity(
        &self,
        pairs: &[Pair],
        now: SystemTime,
    ) -> Result<(), SettingsError> {
        let problems = pairs.iter().filter_map(|pair| {
            let what = pair.validity.problem(now)?;
            let what = format!("the certificate in {} {what}", pair.cert.display());
            Some(self.problem(FileProblem { key: "cert", what }))
        });
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
    }

    fn problem(&self, FileProblem { key, what }: FileProblem) -> Problem {
        self.origins.problem(&format!("{}.{key}", self.table), what)
    }
}
