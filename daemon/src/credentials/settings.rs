//! `[access]`: where the tokens of an internal listener are. Both settings files have this table.

use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use toml::Value;
use tracing::warn;

use super::{AccessToken, token_file};
use crate::{
    access::find_user,
    peer::Peers,
    secret_files,
    settings::{Kind, Origins, Problem, Section, SettingsError, flag, path},
};

/// The settings of the access to an internal listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// `service_file`: the token with which the gateway and the function-runner call each other. A
    /// relative path starts at the working directory, as that of the journal.
    pub service: TokenSource,
    /// `operator_file`: the token of whoever runs the machine.
    pub operator: TokenSource,
    /// `service_users`: who may run the other service on this machine, beside the user of this one
    /// and root.
    pub service_users: Vec<Uid>,
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

/// The key of the file that the services share.
pub const SERVICE_KEY: &str = "access.service_file";

const SERVICE_USERS: &str = "service_users";
/// More than anybody has services for.
const USERS_MAX: usize = 20;

fn users() -> Kind<Vec<String>> {
    let values = format!("a list of at most {USERS_MAX} names or numbers of users");
    let kind = Kind::new(values, |value| {
        let users = value.as_array().filter(|users| users.len() <= USERS_MAX)?;
        let user = |user: &Value| match user {
            Value::String(name) if !name.is_empty() => Some(name.clone()),
            Value::Integer(number) => u32::try_from(*number).ok().map(|number| number.to_string()),
            _ => None,
        };
        users.iter().map(user).collect()
    });
    kind.such_as("[\"longhold-gateway\", 10001]")
}

fn note(file: &Path) {
    if [SERVICE_FILE, OPERATOR_FILE].map(Path::new).contains(&file) {
        secret_files::note(file);
    } else {
        secret_files::note_chosen(file);
    }
}

impl TokenSource {
    /// The token. Its file is made if it is not there. The problem is one of `key`.
    pub fn open(&self, key: &str, origins: &Origins) -> Result<AccessToken, Problem> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::File(file) => {
                note(file);
                token_file::open(file).map_err(|what| origins.problem(key, what))
            }
        }
    }
}

impl AccessSettings {
    /// Reads the section `[access]`.
    pub fn read(section: &mut Section) -> Self {
        let mut file =
            |key, default| TokenSource::File(section.read_or(key, &path(Path::new("")), default));
        let service = file("service_file", SERVICE_FILE);
        let operator = file("operator_file", OPERATOR_FILE);
        let users = section.read_or(SERVICE_USERS, &users(), "[]");
        let found = users.iter().filter_map(|name| {
            let user = find_user(name);
            if user.is_none() {
                let what = format!("there is no user {name:?} on this machine; use its number");
                section.problem(SERVICE_USERS, what);
            }
            user
        });
        let service_users = found.collect();
        let is_insecure = section.read_or("insecure", &flag(), "false");
        Self { service, operator, service_users, is_insecure }
    }

    /// To whom on this machine this service sends its token and events. Warns if the system does
    /// not tell who they are.
    pub fn peers(&self) -> Peers {
        let peers = Peers::new(&self.service_users);
        // A token that this process has made is for itself.
        if matches!(self.service, TokenSource::File(_)) {
            peers.announce();
        }
        peers
    }

    /// Reads the files of the tokens, and makes those that are not there. `origins` are those of
    /// the settings.
    pub fn open(&self, origins: &Origins) -> Result<Credentials, SettingsError> {
        let service = self.service.open(SERVICE_KEY, origins);
        let operator = self.operator.open("access.operator_file", origins);
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
