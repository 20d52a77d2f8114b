//! Finds the route of a request by its path and method.
//!
//! Knows no answers: a listener answers a route, and says what there is in place of a route that
//! does not exist.

use std::borrow::Cow;

use http::{Method, Uri};
use matchit::Params;

use crate::path;

/// The routes of a listener. `R` is the listener's name for a route.
#[derive(Debug, Clone)]
pub struct Router<R> {
    paths: matchit::Router<Methods<R>>,
}

#[derive(Debug, Clone)]
enum Methods<R> {
    Any(R),
    Some(Vec<(Method, R)>),
}

/// The route of a request.
#[derive(Debug)]
pub enum Found<'r, 'p, R> {
    /// The route, and the parameters in the path.
    Route(R, Params<'r, 'p>),
    /// The path has only routes of other methods, which are listed as in the header `Allow`.
    OtherMethods(String),
    /// The path has no routes.
    Nothing,
}

/// The path of a request as routers know it: in normal form, and without the slashes at its end
/// that joined URLs have.
pub fn path_of(uri: &Uri) -> Cow<'_, str> {
    match path::normal(uri.path()) {
        Cow::Borrowed(path) => Cow::Borrowed(without_slash_last(path)),
        Cow::Owned(mut path) => {
            path.truncate(without_slash_last(&path).len());
            Cow::Owned(path)
        }
    }
}

fn without_slash_last(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { &path[..path.len().min(1)] } else { trimmed }
}

impl<R: Copy> Router<R> {
    /// A router without routes.
    pub fn new() -> Self {
        Self { paths: matchit::Router::new() }
    }

    /// Adds the routes of a path, one for each method. `{name}` in the path stands for one
    /// segment, `{*name}` for the rest of the path. A route for GET is one for HEAD too: the answer
    /// is sent without its body.
    #[must_use]
    pub fn with(self, path: &str, methods: &[(Method, R)]) -> Self {
        self.insert(path, Methods::Some(methods.to_vec()))
    }

    /// Adds a route of a path for all methods.
    #[must_use]
    pub fn with_any(self, path: &str, route: R) -> Self {
        self.insert(path, Methods::Any(route))
    }

    fn insert(mut self, path: &str, methods: Methods<R>) -> Self {
        self.paths.insert(path, methods).expect("routes are constant, and no two are the same");
        self
    }

    /// Finds the route of a request, whose path is that of [`path_of`].
    pub fn find<'r, 'p>(&'r self, method: &Method, path: &'p str) -> Found<'r, 'p, R> {
        let Ok(found) = self.paths.at(path) else { return Found::Nothing };
        match found.value {
            Methods::Any(route) => Found::Route(*route, found.params),
            Methods::Some(methods) => {
                let asked = if *method == Method::HEAD { &Method::GET } else { method };
                match methods.iter().find(|(allowed, _)| allowed == asked) {
                    Some((_, route)) => Found::Route(*route, found.params),
                    None => Found::OtherMethods(allowed(methods)),
                }
            }
        }
    }
}

fn allowed<R>(methods: &[(Method, R)]) -> String {
    let names = methods.iter().map(|(method, _)| match *method {
        Method::GET => "GET, HEAD",
        ref method => method.as_str(),
    });
    names.collect::<Vec<_>>().join(", ")
}

impl<R: Copy> Default for Router<R> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, expected: &str) {
        let router = Router::new()
            .with("/a", &[(Method::GET, "read"), (Method::PUT, "write")])
            .with("/a/{id}/b", &[(Method::POST, "write")])
            .with_any("/c/{*rest}", "below")
            .with("/{*rest}", &[(Method::GET, "other")]);
        let found = match router.find(method, path) {
            Found::Route(route, parameters) => {
                let parameters = parameters.iter().map(|(name, value)| format!(" {name}={value}"));
                route.to_owned() + &parameters.collect::<String>()
            }
            Found::OtherMethods(methods) => format!("use {methods}"),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn a_route_is_found_by_path_and_method() {
        check(&Method::GET, "/a", "read");
        check(&Method::HEAD, "/a", "read");
        check(&Method::POST, "/a", "use GET, HEAD, PUT");
        check(&Method::POST, "/a/7/b", "write id=7");
        check(&Method::GET, "/a/7/b", "use POST");
        check(&Method::DELETE, "/c/x/y", "below rest=x/y");
        check(&Method::GET, "/", "nothing");
    }

    #[test]
    fn a_longer_path_leaves_a_shorter_one_to_the_rest() {
        check(&Method::GET, "/a/7/c", "other rest=a/7/c");
        check(&Method::GET, "/ab", "other rest=ab");
        check(&Method::GET, "/c", "other rest=c");
        check(&Method::POST, "/a/7", "use GET, HEAD");
        check(&Method::HEAD, "/a/7/b", "use POST");
    }

    #[test]
    fn joined_urls_and_other_spellings_have_the_same_path() {
        for (path, expected) in [
            ("/a/7/b", "/a/7/b"),
            ("//a/7/b", "/a/7/b"),
            ("/a/7/b//", "/a/7/b"),
            ("/%61/7/b/", "/a/7/b"),
            ("/a//b", "/a//b"),
            ("/", "/"),
            ("///", "/"),
            ("*", "*"),
        ] {
            assert_eq!(path_of(&Uri::try_from(path).unwrap()), expected, "{path}");
        }
    }
}
