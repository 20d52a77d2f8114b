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

/// What can be used of the files.
#[derive(Debug)]
pub(super) struct Found {
    /// None in the place of a certificate that cannot be used.
    pub(super) pairs: Vec<Option<Pair>>,
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

    /// Reads all files.
    pub(super) fn read(&self) -> Result<Contents, SettingsError> {
        let (Found { pairs, client_ca }, mut problems) = self.read_each();
        let pairs: Vec<_> = pairs.into_iter().flatten().collect();
        problems.extend(self.problems_of_names(&pairs));
        if problems.is_empty() {
            Ok(Contents { pairs, client_ca })
        } else {
            Err(SettingsError(problems))
        }
    }

    /// Reads all files, and says which of them cannot be used.
    pub(super) fn read_each(&self) -> (Found, Vec<Problem>) {
        let mut problems = Vec::new();
        let pairs = self.pairs.iter().map(|files| match Pair::read(files) {
            Ok(pair) => Some(pair),
            Err(found) => {
                problems.extend(found.into_iter().map(|problem| self.problem(problem)));
                None
            }
        });
        let pairs = pairs.collect();
        let client_ca = self.client_ca.as_ref().and_then(|file| {
            let problem = |what| self.problem(FileProblem { key: "client_ca", what });
            Authorities::read(file).map_err(|what| problems.push(problem(what))).ok()
        });
        (Found { pairs, client_ca }, problems)
    }

    /// What keeps one of `pairs` from being found by its names.
    pub(super) fn problems_of_names(&self, pairs: &[Pair]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (number, pair) in pairs.iter().enumerate() {
            let shown = pair.cert.display();
            if number > 0 && pair.names.is_empty() {
                let what = format!(
                    "{shown} is for no host name, and only the first certificate is for clients that \
                     ask for none; put it first"
                );
                problems.push(self.problem(FileProblem { key: "cert", what }));
            }
            for other in &pairs[..number] {
                if let Some(name) = pair.names.iter().find(|name| other.names.contains(name)) {
                    let what = format!(
                        "{} and {shown} both have the name {name}; use one certificate for each name",
                        other.cert.display(),
                    );
                    problems.push(self.problem(FileProblem { key: "cert", what }));
                }
            }
        }
        problems
    }

    /// An error if one of the certificates is not valid at `now`.
    pub(super) fn check_validity(
        &self,
        contents: &Contents,
        now: SystemTime,
    ) -> Result<(), SettingsError> {
        let Contents { pairs, client_ca } = contents;
        let own = pairs.iter().filter_map(|pair| self.problem_of_validity(pair, now));
        let of_clients = client_ca.iter().filter_map(|it| self.problem_of_authorities(it, now));
        let problems: Vec<_> = own.chain(of_clients).collect();
        if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
    }

    /// Why `pair` is not valid at `now`.
    pub(super) fn problem_of_validity(&self, pair: &Pair, now: SystemTime) -> Option<Problem> {
        let what =
            format!("the certificate in {} {}", pair.cert.display(), pair.validity.problem(now)?);
        Some(self.problem(FileProblem { key: "cert", what }))
    }

    /// Why the authorities of clients are not valid at `now`.
    pub(super) fn problem_of_authorities(
        &self,
        authorities: &Authorities,
        now: SystemTime,
    ) -> Option<Problem> {
        let file = self.client_ca.as_ref()?.display();
        let what = format!("the certificate in {file} {}", authorities.problem(now)?);
        Some(self.problem(FileProblem { key: "client_ca", what }))
    }

    fn problem(&self, FileProblem { key, what }: FileProblem) -> Problem {
        self.origins.problem(&format!("{}.{key}", self.table), what)
    }
}
