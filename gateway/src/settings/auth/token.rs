//! `[api.jwt]`: which tokens let a client in, and where a client may put its token.

use std::{path::Path, time::Duration};

use daemon::settings::{Given, Kind, Section, duration, flag, http_url};
use url::{Host, Url};

use crate::token_keys::TokenKeys;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKeySource {
    /// In the settings, or in a file.
    Fixed(TokenKeys),
    /// A set at a URL, which is fetched.
    Url(Url),
}

/// The settings of JSON Web Tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenSettings {
    /// `secret`, `secret_file`, `key`, `key_file` or `jwks_url`: what tokens are checked with.
    pub(crate) keys: TokenKeySource,
    /// `jwks_stale_max`: how long the keys of a set are used while the set cannot be fetched.
    pub jwks_stale_max: Duration,
    /// `issuer`: what `iss` must be one of. Any if empty.
    pub issuer: Vec<String>,
    /// `audience`: what `aud` must have one of. If empty, a token must have no `aud`.
    pub audience: Vec<String>,
    /// `types`: what `typ` of the header must be one of. Any, or none, if empty.
    pub types: Vec<String>,
    /// `leeway`: how far the clock of the issuer may be off.
    pub leeway: Duration,
    /// `require_expiry`: whether a token must have `exp`.
    pub require_expiry: bool,
    /// `close_on_expiry`: whether a connection is closed when its token expires.
    pub close_on_expiry: bool,
    /// `query`: the parameter that may carry the token.
    pub query: Option<String>,
    /// `cookie`: the cookie that may carry the token.
    pub cookie: Option<String>,
    /// `subprotocol`: an offered subprotocol that begins with this carries the token.
    pub subprotocol: String,
    /// `pass_token`: whether register gets the token with the query and the headers.
    pub pass_token: bool,
}

impl TokenSettings {
    /// Takes `[api.jwt]`. None if it has no key that can be used, which is noted.
    pub(super) fn read(section: &mut Section, base: &Path) -> Option<Self> {
        let keys = read_keys(section, base);
        let stale = duration(Duration::from_secs(60)..=Duration::from_hours(30 * 24));
        let jwks_stale_max = section.read_or("jwks_stale_max", &stale, "24h");
        let leeway = duration(Duration::ZERO..=Duration::from_secs(600));
        // Every key is read before a missing one ends this, so that all problems are reported.
        let issuer = section.read_or("issuer", &texts(), "[]");
        let audience = section.read_or("audience", &texts(), "[]");
        let types = section.read_or("types", &types(), "[]");
        let leeway = section.read_or("leeway", &leeway, "30s");
        let require_expiry = section.read_or("require_expiry", &flag(), "true");
        let close_on_expiry = section.read_or("close_on_expiry", &flag(), "false");
        let query = section.read("query", &name());
        let cookie = section.read("cookie", &name());
        let subprotocol = section.read_or("subprotocol", &name(), "bearer.");
        let pass_token = section.read_or("pass_token", &flag(), "false");
        let is_set = matches!(keys, Some(TokenKeySource::Url(_)));
        if is_set && issuer.is_empty() && audience.is_empty() {
            let missing = "is missing; set issuer or audience beside jwks_url, since an issuer signs \
                           tokens for other services with the same keys";
            section.problem("issuer", missing);
        }
        Some(Self {
            keys: keys?,
            jwks_stale_max,
            issuer,
            audience,
            types,
            leeway,
            require_expiry,
            close_on_expiry,
            query,
            cookie,
            subprotocol,
            pass_token,
        })
    }
}

fn read_keys(section: &mut Section, base: &Path) -> Option<TokenKeySource> {
    let any = "a string that is not empty";
    let secret = section.read_secret_or_file(["secret", "secret_file"], base, any, |text| {
        TokenKeys::of_secret(text).map(drop)
    });
    let key = section.read_public_or_file(["key", "key_file"], base, any, |text| {
        TokenKeys::of_text(text).map(drop)
    });
    let has_url = section.has("jwks_url");
    let url = section.read("jwks_url", &keys_url());
    let given = [!matches!(secret, Given::No), !matches!(key, Given::No), has_url];
    match given.into_iter().filter(|given| *given).count() {
        0 => {
            section.problem(
                "jwks_url",
                "is missing; set one of secret, secret_file, key, key_file and jwks_url",
            );
            None
        }
        1 => match (secret, key, url) {
            (Given::Sound(text), ..) => {
                TokenKeys::of_secret(text.reveal()).ok().map(TokenKeySource::Fixed)
            }
            (_, Given::Sound(text), _) => {
                TokenKeys::of_text(text.reveal()).ok().map(TokenKeySource::Fixed)
            }
            (_, _, Some(url)) => Some(TokenKeySource::Url(url)),
            _ => None,
        },
        _ => {
            let one =
                "is one key too many; set one of secret, secret_file, key, key_file and jwks_url";
            section.problem(if has_url { "jwks_url" } else { "key" }, one);
            None
        }
    }
}

/// Keys that come over the network decide who is let in, so nobody on the way may change them.
fn keys_url() -> Kind<Url> {
    let values = "an https:// URL, or an http:// URL of this machine";
    let kind = Kind::new(values, |value| {
        let is_own = |url: &Url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        http_url(value.as_str()?).filter(|url| url.scheme() == "https" || is_own(url))
    });
    kind.such_as("\"https://issuer.example/.well-known/jwks.json\"").secret()
}

fn texts() -> Kind<Vec<String>> {
    list().such_as("[\"https://issuer.example\"]")
}

fn types() -> Kind<Vec<String>> {
    list().such_as("[\"at+jwt\"]")
}

fn list() -> Kind<Vec<String>> {
    Kind::new("a list of at most 20 strings", |value| {
        let texts = value.as_array()?.iter();
        let texts: Option<Vec<_>> = texts.map(|text| text.as_str().map(str::to_owned)).collect();
        texts.filter(|texts| texts.len() <= 20 && texts.iter().all(|text| !text.is_empty()))
    })
}

/// A token of HTTP (RFC 9110, section 5.6.2), which query, cookie and subprotocol have in common.
fn name() -> Kind<String> {
    Kind::new("a name of letters, digits and - _ . ~ ! #", |value| {
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!#".contains(&byte);
        let name = value.as_str().filter(|name| (1..=100).contains(&name.len()));
        name.filter(|name| name.bytes().all(is_sound)).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use crate::settings::{AuthSettings, Settings};

    const SECRET: &str = "hunter2-and-more-of-32-bytes-0001";

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<AuthSettings, String> {
        let variables: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let text = format!("[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"t\"\n{text}");
        let settings = Settings::parse(Path::new("gateway.toml"), &text, &variables);
        settings.map(|it| it.apis[0].auth.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_not_shown_and_a_change_of_it_is_one() {
        let with = |secret: &str| {
            read(&format!("auth = \"jwt\"\n[api.jwt]\nsecret = \"{secret}\""), &[]).unwrap()
        };
        assert_eq!(with(SECRET), with(SECRET));
        assert_ne!(with(SECRET), with("another-secret-of-32-bytes-000002"));
        assert!(!format!("{:?}", with(SECRET)).contains("hunter2"));
        let variable = [("LONGHOLD_GATEWAY__API__0__JWT__SECRET", SECRET)];
        assert_eq!(read("auth = \"jwt\"", &variable).unwrap(), with(SECRET));
    }

    /// Every page can have the origin `null`, in a frame that is kept apart, and a browser sends
    /// the cookie of its reader along.
    #[test]
    fn a_cookie_is_not_for_all_pages() {
        let read = |origins: &str, cookie: &str| {
            let jwt = format!("[api.jwt]\nsecret = \"{SECRET}\"\n{cookie}");
            read(&format!("auth = \"jwt\"\norigins = {origins}\n{jwt}"), &[])
        };
        let cookie = "cookie = \"session\"";
        for origins in [r#"["*"]"#, r#"["null"]"#, r#"["https://a.example", "null"]"#] {
            let problem = read(origins, cookie).unwrap_err();
            let words = "origins: lets every page in the world use the cookie of its reader; list the \
                         origins of your pages, or remove jwt.cookie";
            assert!(problem.contains(words), "{origins}: {problem}");
            assert!(read(origins, "").is_ok(), "{origins}");
        }
        assert!(read(r#"["https://*.a.example"]"#, cookie).is_ok());
    }

    #[test]
    fn a_key_that_is_missing_weak_or_of_another_kind_is_named() {
        let secret = format!("secret = \"{SECRET}\"");
        let with_url = format!("{secret}\njwks_url = \"https://a.example/\"");
        let with_key = format!("{secret}\nkey = \"{{}}\"");
        for (keys, words) in [
            ("", "jwt.jwks_url: is missing; set one of secret, secret_file, key, key_file"),
            ("secret = \"hunter2-of-31-bytes-or-less\"", "jwt.secret: is shorter than 32 bytes"),
            (with_url.as_str(), "jwt.jwks_url: is one key too many"),
            (with_key.as_str(), "jwt.key: has no key that can be used"),
            (
                "secret = \"-----BEGIN PUBLIC KEY-----\"",
                "jwt.secret: is a key in PEM and not a secret",
            ),
            (
                "key = \"-----BEGIN PRIVATE KEY-----\"",
                "jwt.key: is a private key; use the public one",
            ),
            ("key = \"hunter2\"", "jwt.key: is neither PEM nor JSON"),
            ("key_file = \"nowhere.pem\"", "nowhere.pem cannot be read: No such file"),
            (
                "jwks_url = \"http://hunter2.example/\"",
                "jwks_url: the value is not valid; use an https:// URL",
            ),
            ("jwks_url = \"https://a.example/\"\nleeway = \"1h\"", "leeway: \"1h\" is not valid"),
            (
                "jwks_url = \"https://a.example/\"\nissuer = []",
                "jwt.issuer: is missing; set issuer or audience beside jwks_url",
            ),
            (
                "jwks_url = \"https://a.example/\"\njwks_stale_max = \"1s\"",
                "jwks_stale_max: \"1s\" is not valid; use a duration from 1m to 30days",
            ),
            (
                "jwks_url = \"https://a.example/\"\nissuer = \"a\"",
                "issuer: \"a\" is not valid; use a list",
            ),
            (
                "jwks_url = \"https://a.example/\"\nsubprotocol = \"a b\"",
                "subprotocol: \"a b\" is not valid",
            ),
        ] {
            let problem = read(&format!("auth = \"jwt\"\n[api.jwt]\n{keys}"), &[]).unwrap_err();
            assert!(problem.contains(words), "{keys}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let open = read(&format!("[api.jwt]\n{secret}"), &[]).unwrap_err();
        assert!(
            open.contains("auth: is \"none\", which does not use [api.jwt]; set auth = \"jwt\""),
            "{open}"
        );
        for url in
            ["http://localhost:8080/", "http://127.0.0.1/", "http://[::1]/", "https://a.example/"]
        {
            for beside in ["issuer", "audience"] {
                let text = format!("jwks_url = \"{url}\"\n{beside} = [\"a\"]");
                assert!(read(&format!("auth = \"jwt\"\n[api.jwt]\n{text}"), &[]).is_ok());
            }
        }
    }
}
