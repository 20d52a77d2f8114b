//! Which pattern a path belongs to, and which patterns are refused.

use daemon::path::normal;

use super::{PathPattern, best_fit};

/// Which of `patterns` does `path` belong to, and with which parameters?
fn check(patterns: &[&str], path: &str, expected: Option<(&str, &[(&str, &str)])>) {
    let patterns: Vec<_> = patterns.iter().map(|p| PathPattern::parse(p).unwrap()).collect();
    let found = best_fit(&normal(path), patterns.iter().map(|pattern| (pattern, pattern.as_str())));
    let expected = expected.map(|(pattern, parameters)| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        (pattern, parameters.iter().map(own).collect())
    });
    assert_eq!(found, expected, "{path}");
}

#[test]
fn rules_come_in_the_documented_order() {
    let all = ["/u/", "/u/{id}", "^~/u/a", "=/u/abc"];
    check(&all, "/u/abc", Some(("=/u/abc", &[])));
    check(&all, "/u/abcd", Some(("^~/u/a", &[])));
    check(&all, "/u/b", Some(("/u/{id}", &[("id", "b")])));
    check(&all, "/u/b/c", Some(("/u/", &[])));
    check(&all, "/v", None);
}

#[test]
fn the_longest_prefix_and_the_first_expression_win() {
    check(&["/a", "/a/b", "/"], "/a/b/c", Some(("/a/b", &[])));
    check(&["^~/a", "^~/a/b"], "/a/b/c", Some(("^~/a/b", &[])));
    check(&["/[a-z]+", "/{name}"], "/abc", Some(("/[a-z]+", &[])));
    check(&["/[a-z]+", "/{name}"], "/1", Some(("/{name}", &[("name", "1")])));
}

#[test]
fn parameters_are_decoded_and_quantifiers_are_left_alone() {
    check(&["/u/{id}"], "/u/a%20b", Some(("/u/{id}", &[("id", "a b")])));
    check(&["/u/[0-9]{3}"], "/u/123", Some(("/u/[0-9]{3}", &[])));
    check(&["/u/[0-9]{3}"], "/u/12", None);
    check(&[r"/u/[^\?]+"], "/u/a", Some((r"/u/[^\?]+", &[])));
    check(&["/u/{a}/{b}"], "/u/x/y", Some(("/u/{a}/{b}", &[("a", "x"), ("b", "y")])));
}

#[test]
fn all_spellings_of_a_path_and_of_a_pattern_are_the_same() {
    for pattern in ["=/a b", "=/a%20b", "=//%61 b"] {
        check(&[pattern], "/a%20b", Some((pattern, &[])));
        check(&[pattern], "/%61%20%62", Some((pattern, &[])));
        assert_eq!(PathPattern::parse(pattern).unwrap().key(), "=/a b", "{pattern}");
    }
    check(&["/聊[天]"], "/%e8%81%8A%E5%A4%A9", Some(("/聊[天]", &[])));
    check(&["/%E8%81%8A+"], "/聊聊", Some(("/%E8%81%8A+", &[])));
    check(&["/100%+"], "/100%", Some(("/100%+", &[])));
    check(&["/a%2Eb(c)?"], "/axb", None);
    check(&["=/a/b"], "/a%2Fb", None);
    check(&["/a(%2F)+"], "/a%2f%2F", Some(("/a(%2F)+", &[])));
    check(&["/a%2F+b"], "/a%2f%2Fb", Some(("/a%2F+b", &[])));
    check(&["/%3A%2Fb?"], "/%3a%2F", Some(("/%3A%2Fb?", &[])));
    check(&["/{x}"], "/a%2fb%2541", Some(("/{x}", &[("x", "a/b%41")])));
}

#[test]
fn an_expression_begins_with_one_slash_as_paths_do() {
    check(&["//u/{id}"], "/u/1", Some(("//u/{id}", &[("id", "1")])));
    check(&["///[0-9]+"], "//12", Some(("///[0-9]+", &[])));
    check(&["//?u"], "/u", Some(("//?u", &[])));
    check(&["//{0,1}u"], "/u", Some(("//{0,1}u", &[])));
}

#[test]
fn a_path_is_an_expression_by_what_is_written_and_not_by_what_is_encoded() {
    check(&["/a%5Eb"], "/a%5Eb/1", Some(("/a%5Eb", &[])));
    check(&["/a%7Bx%7D"], "/a%7bx%7d/1", Some(("/a%7Bx%7D", &[])));
}

#[test]
fn a_path_that_could_never_match_is_refused_with_what_would() {
    for (never, code) in [
        ("/a#b", "%23"),
        ("=/a#b", "%23"),
        ("^~/#", "%23"),
        ("/{x}/#b", "%23"),
        ("=/a?b=c", "%3F"),
        ("^~/a?", "%3F"),
        (r"/{x}\?b", "%3F"),
        ("=/a[#]b", "%23"),
        ("/[^^]#", "%23"),
        ("/[-]#", "%23"),
        (r"/[a[b]]\?", "%3F"),
    ] {
        let problem = PathPattern::parse(never).unwrap_err();
        assert!(problem.contains(code), "{never}: {problem}");
    }
    check(&["=/a%23b"], "/a%23b", Some(("=/a%23b", &[])));
    check(&["^~/a%3F"], "/a%3fb", Some(("^~/a%3F", &[])));
    check(&["/colou?r"], "/color", Some(("/colou?r", &[])));
    check(&["/[^#?]+"], "/a", Some(("/[^#?]+", &[])));
}

/// `check` of the expression and its compilation agree on where a class ends.
#[test]
fn characters_in_brackets_stand_for_themselves() {
    for pattern in
        ["/[]#]+", "/[^]#]+", r"/[\]#]+", "/[a[b]#]+", "/[[:^alpha:]#?]+", "/[a[]b]#]+", "/[a^#]+"]
    {
        assert!(PathPattern::parse(pattern).is_ok(), "{pattern}");
    }
    check(&["/[]#]+"], "/]]", Some(("/[]#]+", &[])));
    check(&["/[^^]/%2F"], "/a/%2f", Some(("/[^^]/%2F", &[])));
}

#[test]
fn wrong_paths_are_refused_with_a_reason() {
    let own = ["/~", "=/~/x", "^~/%7E/", "/~/{id}", "/x/../~/y"];
    for wrong in ["chat", "=chat", "^~", "/(", "", "/u/{id}/{id}"].into_iter().chain(own) {
        assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
    }
    for class in ["/[a%2F]+", "/[]a%2F]+", "/[^]a%2F]+", "/[a[b]%2F]+"] {
        let problem = PathPattern::parse(class).unwrap_err();
        assert!(problem.contains("(?:[...]|%2F)"), "{problem}");
    }
    for dots in ["/a/./{x}", "/a/../b/{x}", "/{x}/..", "/(a)/%2e%2E/b", r"/[a]/\./b"] {
        let problem = PathPattern::parse(dots).unwrap_err();
        assert!(problem.contains("[^/]"), "{dots}: {problem}");
    }
}

#[test]
fn the_stage_is_the_first_segment_where_it_is_one() {
    for (path, stage) in
        [("/test/{x}", Some("test")), ("=//%70repub/y", Some("prepub")), ("^~/x/test", None)]
    {
        assert_eq!(PathPattern::parse(path).unwrap().stage(), stage, "{path}");
    }
}
