//! Which variables of this process pip and npm get. They run programs of packages, and the author's
//! shell may have secrets of the cloud in its environment.

use std::collections::BTreeMap;

/// Names that are passed on.
const NAMES: [&str; 30] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "TZ",
    // Proxies and certificates.
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    // Registries that ask who it is, and packages that come from repositories.
    "NPM_TOKEN",
    "NODE_AUTH_TOKEN",
    "SSH_AUTH_SOCK",
    // Compilers of packages in C.
    "CC",
    "CXX",
    "CFLAGS",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
];
/// What names that are passed on begin with.
const BEGINNINGS: [&str; 10] = [
    "LC_",
    "XDG_",
    "PIP_",
    "npm_config_",
    "NPM_CONFIG_",
    "PYENV_",
    "NVM_",
    "FNM_",
    "GIT_",
    "PKG_CONFIG",
];

pub(in crate::up) fn passed_to_installers(
    variables: &BTreeMap<String, String>,
) -> impl Iterator<Item = (&String, &String)> {
    variables.iter().filter(|(name, _)| {
        NAMES.contains(&name.as_str()) || BEGINNINGS.iter().any(|start| name.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::passed_to_installers;

    #[test]
    fn secrets_of_the_shell_are_not_passed_on() {
        let variables = [
            "PATH",
            "https_proxy",
            "PIP_INDEX_URL",
            "npm_config_registry",
            "TENCENT_SECRET_KEY",
            "SECRET",
            "PYTHONPATH",
            "NODE_OPTIONS",
        ];
        let variables = variables.map(|name| (name.to_owned(), String::new())).into();
        let passed: Vec<_> = passed_to_installers(&variables).map(|(name, _)| name).collect();
        assert_eq!(passed, ["PATH", "PIP_INDEX_URL", "https_proxy", "npm_config_registry"]);
    }
}
