//! Finds the route of a request by its path and method.
//!
//! Knows no answers: a listener answers a route, and says what there is in place of a route that
//! does not exist.

use http::Method;
use matchit::Params;

use crate::path::without_slash_last;

/// The routes of a listener. `R` is the listener's name for a route.
#[derive(Debug, Clone)]
pub struct Router<R> {
    paths: matchit::Router<Methods<R>>,
    listed: Vec<ListedPath>,
}

/// A path of a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPath {
    /// The path as it was added, with its parameters.
    pub path: String,
    /// The methods that have routes. Empty if all have the same one.
    pub methods: Vec<Method>,
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

impl<R: Copy> Router<R> {
    /// A router without routes.
    pub fn new() -> Self {
        Self { paths: matchit::Router::new(), listed: Vec::new() }
    }

    /// Adds the routes of a path, one for each method. `{name}` in the path stands for one
    /// segment, `{*name}` for the rest of the path. A route for GET is one for HEAD too: the answer
    /// is sent without its body.
    #[must_use]
    pub fn with(self, path: &str, methods: &[(Method, R)]) -> Self {
        self.insert(path, Methods::Some(methods.to_vec()))
    }

    /// Adds a route of a path for all methods. What answers GET there has to answer HEAD too.
    #[must_use]
    pub fn with_any(self, path: &str, route: R) -> Self {
        self.insert(path, Methods::Any(route))
    }

    fn insert(mut self, path: &str, methods: Methods<R>) -> Self {
        let listed = match &methods {
            Methods::Any(_) => Vec::new(),
            Methods::Some(methods) => methods.iter().map(|(method, _)| method.clone()).collect(),
        };
        self.listed.push(ListedPath { path: path.to_owned(), methods: listed });
        self.paths.insert(path, methods).expect("routes are constant, and no two are the same");
        self
    }

    /// All paths, in the order in which they were added.
    pub fn paths(&self) -> &[ListedPath] {
        &self.listed
    }

    /// Finds the route of a request. `path` is in normal form; slashes at its end are left out.
    pub fn find<'r, 'p>(&'r self, method: &Method, path: &'p str) -> Found<'r, 'p, R> {
        let Ok(found) = self.paths.at(without_slash_last(path)) else { return Found::Nothing };
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
    fn slashes_at_the_end_are_left_out() {
        check(&Method::GET, "/a/", "read");
        check(&Method::POST, "/a/7/b//", "write id=7");
        check(&Method::GET, "/c/x//y/", "below rest=x//y");
        check(&Method::GET, "//", "nothing");
    }
}
