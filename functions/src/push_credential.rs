//! What the pushes of a function present to the gateway. The runner gives it to the function; it is
//! not a part of the environment, which belongs to the user.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};
use shared::push::{FUNCTION_HEADER, PUSH_TO_HEADER};

/// The token of the runner, and for which function it pushes. Debug output does not show the token.
#[derive(Debug, Clone, Default)]
pub struct PushCredential(HeaderMap);

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
        Ok(Self(headers))
    }

    /// The headers of each push.
    pub fn headers(&self) -> &HeaderMap {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_names_its_function_and_does_not_show_the_token() {
        let mut authorization = HeaderValue::from_static("Bearer hunter2");
        authorization.set_sensitive(true);
        let apis = ["api-a", "api-b"].map(str::to_owned);
        let credential = PushCredential::new(authorization.clone(), "chat", Some(&apis)).unwrap();
        let headers = credential.headers();
        assert_eq!(headers["longhold-function"], "chat");
        assert_eq!(headers["longhold-push-to"], "api-a,api-b");
        assert!(!format!("{credential:?}").contains("hunter2"));
        let credential = PushCredential::new(authorization, "chat", None).unwrap();
        assert!(!credential.headers().contains_key("longhold-push-to"));
    }
}
