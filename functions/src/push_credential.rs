//! What the pushes of a function present to the gateway. The runner gives it to the function; it is
//! no key of the environment, which belongs to the user.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};
use shared::push::{FUNCTION_HEADER, PUSH_TO_HEADER};
use url::Url;

/// The token of the runner, and for which function it pushes. Debug output does not show the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushCredential {
    headers: HeaderMap,
    /// The only one that gets the token.
    gateway: Option<Url>,
}

impl PushCredential {
    /// The credential of the function `name`. `authorization` is that of the runner, and is
    /// sensitive. `push_to` has the ids of the APIs that the function may push to; without it the
    /// function may push to those that name it.
    pub fn new(
        authorization: HeaderValue,
        name: &str,
        push_to: Option<&[String]>,
    ) -> Result<Self, InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(FUNCTION_HEADER, HeaderValue::from_str(name)?);
        if let Some(apis) = push_to {
            headers.insert(PUSH_TO_HEADER, HeaderValue::from_str(&apis.join(","))?);
        }
        Ok(Self { headers, gateway: None })
    }

    /// The same for pushes to the gateway at `url`, and to no other server.
    #[must_use]
    pub fn for_gateway(self, url: Option<Url>) -> Self {
        Self { gateway: url, ..self }
    }

    /// The headers of each push to the gateway.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers of each push to `url`. None if that is another server, or has a token in its
    /// path.
    pub(crate) fn headers_for(&self, url: &Url) -> HeaderMap {
        let is_meant = self.gateway.as_ref().is_some_and(|gateway| is_below(gateway, url));
        if is_meant { self.headers.clone() } else { HeaderMap::new() }
    }
}

fn is_below(gateway: &Url, url: &Url) -> bool {
    let rest = url.path().strip_prefix(gateway.path().trim_end_matches('/'));
    gateway.origin() == url.origin()
        && rest.is_some_and(|rest| rest.starts_with('/') && !rest.starts_with("/~/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(push_to: Option<&[String]>) -> PushCredential {
        let mut authorization = HeaderValue::from_static("Bearer hunter2");
        authorization.set_sensitive(true);
        PushCredential::new(authorization, "chat", push_to).unwrap()
    }

    #[test]
    fn a_push_names_its_function_and_does_not_show_the_token() {
        let apis = ["api-a", "api-b"].map(str::to_owned);
        let named = credential(Some(&apis));
        assert_eq!(named.headers()["longhold-function"], "chat");
        assert_eq!(named.headers()["longhold-push-to"], "api-a,api-b");
        assert!(!format!("{named:?}").contains("hunter2"));
        assert!(!credential(None).headers().contains_key("longhold-push-to"));
    }

    #[test]
    fn only_the_gateway_gets_the_token() {
        let gateway = "http://me@127.0.0.1:9001/in/".parse().unwrap();
        let credential = credential(None).for_gateway(Some(gateway));
        for (url, is_meant) in [
            ("http://127.0.0.1:9001/in/api-x", true),
            ("http://127.0.0.1:9001/api-x", false),
            ("http://127.0.0.1:9001/inner/api-x", false),
            ("http://127.0.0.1:9001/in/~/t/token/api-x", false),
            ("http://127.0.0.1:9002/in/api-x", false),
            ("http://127.0.0.2:9001/in/api-x", false),
            ("https://127.0.0.1:9001/in/api-x", false),
            ("http://127.0.0.1:9001@example.com/in/api-x", false),
        ] {
            let headers = credential.headers_for(&url.parse().unwrap());
            assert_eq!(headers.contains_key(AUTHORIZATION), is_meant, "{url}");
        }
        let nowhere = credential.for_gateway(None);
        let url = "http://127.0.0.1:9001/in/api-x".parse().unwrap();
        assert!(nowhere.headers_for(&url).is_empty());
    }
}
