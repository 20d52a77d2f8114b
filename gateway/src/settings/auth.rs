//! `auth` of an `[[api]]`: how clients prove who they are.

mod key_pair;
mod token;

use std::{path::Path, sync::Arc};

use daemon::settings::{Section, one_of};
use strum::VariantArray;

pub(crate) use self::token::TokenKeySource;
pub use self::{key_pair::KeyPair, token::TokenSettings};

/// How clients of an API prove who they are.
#[derive(Debug, Clone, PartialEq)]
pub enum AuthSettings {
    /// Nobody is asked.
    None,
    /// `"hmac"`: with a signature that a key pair made. There is at least one pair.
    Hmac(Vec<KeyPair>),
    /// `"jwt"`: with a JSON Web Token.
    Jwt(Arc<TokenSettings>),
}

/// The words of `auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
enum Way {
    None,
    Hmac,
    Jwt,
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hmac => "hmac",
            Self::Jwt => "jwt",
        }
    }
}

impl AuthSettings {
    /// Takes `auth` and the tables beside it. What is wrong is noted.
    pub(super) fn read(section: &mut Section, base: &Path) -> Self {
        let words = Way::VARIANTS.iter().map(|way| (way.as_str(), *way));
        let way = section.read_or("auth", &one_of(words), Way::None.as_str());
        let (has_pairs, pairs) = KeyPair::read_all(section, base);
        // A table that is not used would leave the API open to everybody.
        if has_pairs && way != Way::Hmac {
            unused(section, way, "key_pairs", Way::Hmac);
        }
        let token = Self::read_token(section, base, way);
        match way {
            Way::None => Self::None,
            Way::Hmac => {
                if !has_pairs {
                    let missing = "is missing; auth = \"hmac\" needs an [[api.key_pairs]] with id \
                                   and secret";
                    section.problem("key_pairs", missing);
                }
                Self::Hmac(pairs)
            }
            // What is missing is noted, so these settings are not used.
            Way::Jwt => token.map_or(Self::None, |token| Self::Jwt(Arc::new(token))),
        }
    }

    /// Whether a client may prove who it is with a cookie, which a browser sends along whatever
    /// page asks.
    pub(super) fn takes_cookie(&self) -> bool {
        match self {
            Self::None | Self::Hmac(_) => false,
            Self::Jwt(settings) => settings.cookie.is_some(),
        }
    }

    fn read_token(section: &mut Section, base: &Path, way: Way) -> Option<TokenSettings> {
        let has_table = section.has("jwt");
        if has_table && way != Way::Jwt {
            unused(section, way, "[api.jwt]", Way::Jwt);
        }
        let mut table = section.section("jwt");
        let is_read = has_table || way == Way::Jwt || table.is_description();
        is_read.then(|| TokenSettings::read(&mut table, base)).flatten()
    }
}

fn unused(section: &Section, way: Way, table: &str, needs: Way) {
    let (way, needs) = (way.as_str(), needs.as_str());
    section.problem(
        "auth",
        format!("is {way:?}, which does not use {table}; set auth = {needs:?}, or remove {table}"),
    );
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
        path::Path,
    };

    use super::*;
    use crate::settings::Settings;

    const API: &str = "[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"t\"\n";
    const PAIR: &str = "[[api.key_pairs]]\nid = \"AKID\"\n";

    fn read(file: &Path, text: &str, variables: &[(&str, &str)]) -> Result<AuthSettings, String> {
        let variables: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::parse(file, &format!("{API}{text}"), &variables);
        settings.map(|it| it.apis[0].auth.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_comes_from_the_settings_a_file_or_a_variable() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "sixteen-bytes-16\n").unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        let file = folder.path().join("gateway.toml");
        let variable = [("LONGHOLD_GATEWAY__API__0__KEY_PAIRS__0__SECRET", "sixteen-bytes-16")];
        for (line, variables) in [
            ("secret = \"sixteen-bytes-16\"", &[][..]),
            ("secret_file = \"secret\"", &[]),
            ("", &variable),
        ] {
            let auth = read(&file, &format!("auth = \"hmac\"\n{PAIR}{line}"), variables).unwrap();
            let AuthSettings::Hmac(pairs) = &auth else { panic!("{auth:?}") };
            assert_eq!((&*pairs[0].id, pairs[0].secret.reveal()), ("AKID", "sixteen-bytes-16"));
            assert!(!format!("{auth:?}").contains("sixteen"), "{auth:?}");
        }
        assert_eq!(read(&file, "", &[]), Ok(AuthSettings::None));
    }

    #[test]
    fn what_would_leave_an_api_open_or_weak_is_named() {
        let file = Path::new("gateway.toml");
        let long = "secret = \"sixteen-bytes-16\"";
        let [pair, twice] = [format!("{PAIR}{long}"), format!("{PAIR}{long}\n{PAIR}{long}")];
        let hmac = |rest: &str| format!("auth = \"hmac\"\n{rest}");
        for (text, words) in [
            ("auth = \"basic\"".to_owned(), "use \"none\" or \"hmac\" or \"jwt\""),
            (hmac(""), "key_pairs: is missing; auth = \"hmac\" needs an [[api.key_pairs]]"),
            (hmac("key_pairs = []"), "key_pairs: is missing; auth = \"hmac\" needs an"),
            (pair, "auth: is \"none\", which does not use key_pairs; set auth = \"hmac\""),
            (hmac(&twice), "key_pairs[1].id: \"AKID\" is the id of another pair"),
            (hmac(PAIR), "key_pairs[0].secret: is missing; set secret or secret_file"),
            (
                hmac(&format!("{PAIR}secret = \"fifteen-bytes15\"")),
                "secret: is shorter than 16 bytes",
            ),
            (
                hmac(&format!("{PAIR}{long}\nsecret_file = \"x\"")),
                "secret_file: is set together with",
            ),
            (
                hmac(&format!("[[api.key_pairs]]\nid = \"a\\\"\"\n{long}")),
                "id: \"a\\\"\" is not valid",
            ),
        ] {
            let problem = read(file, &text, &[]).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
            assert!(!problem.contains("bytes-16") && !problem.contains("fifteen"), "{problem}");
        }
    }
}
