use std::{path::Path, sync::Arc};

use super::{Node, Value, parse};

fn read(text: &str) -> Node {
    parse(&file(), text).unwrap().root.unwrap()
}

fn file() -> Arc<Path> {
    Path::new("serverless.yml").into()
}

/// The line and the text of the error.
fn error(text: &str) -> (usize, String) {
    let error = parse(&file(), text).unwrap_err();
    (error.line, error.what)
}

#[test]
fn each_value_knows_its_line() {
    let root = read("# a comment\na: 1\n\nb:\n  c: [x,\n    y]\n  d: |\n    long\n");
    assert_eq!(root.get("a").unwrap().spot.line, 2);
    let b = root.entry("b").unwrap();
    assert_eq!((b.spot.line, b.node.spot.line), (4, 5));
    let Value::List(list) = &b.node.get("c").unwrap().value else { panic!("no list") };
    assert_eq!(list.iter().map(|node| node.spot.line).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(b.node.get("d").unwrap().text(), Some("long\n"));
}

#[test]
fn what_stands_for_nothing_is_null_unless_it_is_quoted() {
    let root = read("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: !!str null\ng: !Ref x\n");
    for key in ["a", "b", "c"] {
        assert!(root.get(key).unwrap().is_null(), "{key}");
    }
    assert_eq!(root.get("d").unwrap().text(), Some(""));
    assert_eq!(root.get("e").unwrap().text(), Some("null"));
    assert_eq!(root.get("f").unwrap().text(), Some("null"));
    assert!(matches!(&root.get("g").unwrap().value, Value::Tagged(tag) if &**tag == "!Ref"));
}

#[test]
fn anchors_and_merge_keys_repeat_what_is_there() {
    let root = read("a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3\n");
    assert_eq!(root.get("b").unwrap().get("x").unwrap().text(), Some("1"));
    let c = root.get("c").unwrap();
    assert_eq!(c.get("x").unwrap().text(), Some("1"));
    assert_eq!(c.get("y").unwrap().text(), Some("3"));
}

#[test]
fn aliases_cannot_make_a_small_file_a_large_tree() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
    }
    let (line, what) = error(&text);
    assert!(what.contains("more than 50000 values"), "{what}");
    assert_eq!(line, 5);
    assert!(error("a: &a [*a]").1.contains("within what it repeats"));
}

#[test]
fn broken_documents_are_refused_with_the_line() {
    for (text, line) in [
        ("a: b\n c: d\n", 2),
        ("a: [1, 2\nb: c\n", 2),
        ("a: 'b\n", 1),
        ("a:\n\t- b\n", 2),
        ("a: 1\na: 2\n", 2),
        ("? [a]\n: b\n", 1),
        ("a: *nobody\n", 1),
        ("%YAML 3.0\n---\na: 1\n", 1),
    ] {
        let (found, what) = error(text);
        assert_eq!(found, line, "{text:?}: {what}");
        assert!(!what.is_empty());
    }
    assert!(error(&"[".repeat(10_000)).0 == 1);
    assert!(error(&"- ".repeat(10_000)).0 == 1);
}

#[test]
fn only_the_first_document_is_read() {
    let parsed = parse(&file(), "a: 1\n---\nb: 2\n").unwrap();
    assert!(parsed.root.unwrap().get("a").is_some());
    assert_eq!(parsed.second, Some(3));
    let parsed = parse(&file(), "# nothing\n").unwrap();
    assert!(parsed.root.is_none() && parsed.second.is_none());
    assert!(parse(&file(), "---\n---\n").unwrap().root.is_none());
}
