//! `[access]`: where the tokens of an internal listener are. Both settings files have this table.

use std::path::{Path, PathBuf};

use tracing::warn;

use super::{AccessToken, token_file};
use crate::{
    secret_files,
    settings::{Origins, Section, SettingsError, flag, path},
};

/// The settings of the access to an internal listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// `service_file`: the token with which the gateway and the function-runner call each other. A
    /// relative path starts at the working directory, as that of the journal.
    pub service: TokenSource,
    /// `operator_file`: the token of whoever runs the machine.
    pub operator: TokenSource,
    /// `insecure`: the internal listener asks nobody for a token.
    pub is_insecure: bool,
}

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file, which is made if it is not there.
    File(PathBuf),
    /// This process, which tells nobody.
    Given(AccessToken),
}

/// The tokens of an internal listener.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Opens what services need of each other.
    pub service: AccessToken,
    /// Opens everything.
    pub operator: AccessToken,
    /// Nobody is asked for a token.
    pub is_insecure: bool,
}

/// Where the tokens are if the settings do not say it. Functions may have the folder for other
/// things.
const SERVICE_FILE: &str = "data/service.token";
const OPERATOR_FILE: &str = "data/operator.token";

fn note(file: &Path) {
    if [SERVICE_FILE, OPERATOR_FILE].map(Path::new).contains(&file) {
        secret_files::note(file);
    } else {
        secret_files::note_chosen(file);
    }
}

impl AccessSettings {
    /// Reads the section `[access]`.
    pub fn read(section: &mut Section) -> Self {
        let mut file =
            |key, default| TokenSource::File(section.read_or(key, &path(Path::new("")), default));
        let service = file("service_file", SERVICE_FILE);
        let operator = file("operator_file", OPERATOR_FILE);
        Self { service, operator, is_insecure: section.read_or("insecure", &flag(), "false") }
    }

    /// Reads the files of the tokens, and makes those that are not there. `origins` are those of
    /// the settings.
    pub fn open(&self, origins: &Origins) -> Result<Credentials, SettingsError> {
        let open = |source: &TokenSource, key: &str| match source {
            TokenSource::Given(token) => Ok(token.clone()),
            TokenSource::File(file) => {
                note(file);
                token_file::open(file).map_err(|what| origins.problem(key, what))
            }
        };
        let service = open(&self.service, "access.service_file");
        let operator = open(&self.operator, "access.operator_file");
        match (service, operator) {
            (Ok(service), Ok(operator)) if service == operator => {
                let what = "has the same token as access.service_file; remove one of the files";
                Err(SettingsError(vec![origins.problem("access.operator_file", what)]))
            }
            (Ok(service), Ok(operator)) => {
                if self.is_insecure {
                    warn!(
                        "access.insecure is set: the internal listener asks nobody for a token, and \
                         every program that reaches it may use all its routes"
                    );
                }
                Ok(Credentials { service, operator, is_insecure: self.is_insecure })
            }
            (service, operator) => {
                Err(SettingsError(service.err().into_iter().chain(operator.err()).collect()))
            }
        }
    }
}
