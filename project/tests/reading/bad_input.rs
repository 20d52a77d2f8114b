//! Files that are no project, or hardly one. Each fault is named with file and line.

use std::fs;

use project::{Place, Severity};

use super::{has_note, notes, read, written};

const GOOD: &str =
    "component: scf\nname: hello\ninputs:\n  handler: index.main\n  runtime: Python3.6\n";

/// Reads a project of one file beside `index.py`. Its only error is at `line` and has `expected`.
fn check(text: &[u8], line: usize, expected: &str) {
    let folder = written(&[("index.py", "")]);
    fs::write(folder.path().join("serverless.yml"), text).unwrap();
    let reading = read(folder.path());
    let errors: Vec<_> =
        reading.notes.iter().filter(|note| note.severity == Severity::Error).collect();
    let [error] = &errors[..] else { panic!("{errors:#?}") };
    let place = Place { file: "serverless.yml".into(), line };
    assert_eq!(error.place, Some(place), "{error}");
    assert!(error.text.contains(expected), "{error}");
}

#[test]
fn broken_files_are_named_with_the_line() {
    check(b"component: scf\n name: x\n", 2, "this is no YAML");
    check(b"component: scf\ninputs: [\n", 2, "this is no YAML");
    check(b"component: scf\ninputs:\n\thandler: x\n", 3, "this is no YAML");
    check(b"component: scf\nname: \"x\nb: c\n", 2, "this is no YAML");
    check(
        b"component: scf\nname: x\nname: y\n",
        3,
        "the key \"name\" is there twice; first in line 2",
    );
    check(b"component: scf\nname: \xff\n", 2, "is not UTF-8 in this line");
    check(b"\xff\xfec\0o\0", 1, "is UTF-16");
    check(b"", 1, "the file is empty");
    check(b"# nothing\n", 1, "the file is empty");
    check(b"- a\n", 1, "the document is a list, and should be a map");
    check(b"name: x\n", 1, "this names no component");
    check(b"service: x\nprovider: {name: aws}\n", 1, "with a provider");
    check(
        b"component: scf\ninputs: {runtime: Python3.6}\n",
        1,
        "name: the file has no name; write name:",
    );
    check(b"component: scv\nname: x\n", 1, "perhaps scf is meant");
    check(b"component: scf\nname: x\ninputs: [1]\n", 3, "inputs is a list, and should be a map");
    check(b"component: scf\nname: 'a b'\ninputs: {name: '1 2', runtime: Python3.6, handler: index.x}\n", 3, "is no name of a function");
    check(&vec![b'#'; 1024 * 1024 + 1], 1, "more than 1048576 bytes");
}

#[test]
fn marks_and_line_ends_make_no_difference() {
    let plain = written(&[("index.py", ""), ("serverless.yml", GOOD)]);
    let plain = read(plain.path()).project;
    assert_eq!(plain.functions.len(), 1);
    for text in [format!("\u{feff}{GOOD}"), GOOD.replace('\n', "\r\n")] {
        let folder = written(&[("index.py", ""), ("serverless.yml", &text)]);
        let reading = read(folder.path());
        assert!(!reading.has_errors(), "{:#?}", notes(&reading));
        assert_eq!(reading.project.functions[0].places, plain.functions[0].places);
    }
}

#[test]
fn a_folder_without_a_project_says_so() {
    let folder = written(&[("index.py", ""), ("node_modules/x/serverless.yml", GOOD)]);
    let reading = read(folder.path());
    has_note(&reading, "there is no serverless.yml and no template.yaml in");
    has_note(&read(&folder.path().join("absent")), "cannot be read");
    // A template of another program is no project, and no fault.
    let folder = written(&[
        ("template.yaml", "{{ not: yaml }} }"),
        ("serverless.yml", GOOD),
        ("index.py", ""),
    ]);
    assert!(!read(folder.path()).has_errors());
}

#[test]
fn handlers_that_are_not_there_name_those_that_are() {
    let text = GOOD.replace("index.main", "idnex.main");
    let files = [("serverless.yml", text.as_str()), ("index.py", ""), ("app.py", ""), ("x.js", "")];
    let folder = written(&files);
    let reading = read(folder.path());
    has_note(
        &reading,
        "serverless.yml:4: the handler idnex.main needs the file idnex.py, which is not there; there \
         are index.py, app.py",
    );
    has_note(&read(written(&files[..1]).path()), "there is no file .py in the folder");
    for handler in
        ["main", "../index.main", "/index.main", "index.", ".main", "a..b.main", "os.main"]
    {
        let text = GOOD.replace("index.main", &format!("'{handler}'"));
        let folder = written(&[("serverless.yml", text.as_str()), ("index.py", "")]);
        let reading = read(folder.path());
        has_note(&reading, "error serverless.yml:4: the handler");
    }
}

#[test]
fn one_function_that_cannot_run_does_not_stop_the_others() {
    let bad = GOOD.replace("Python3.6", "Php7").replace("hello", "bad");
    let folder =
        written(&[("a/serverless.yml", &bad), ("b/serverless.yml", GOOD), ("b/index.py", "")]);
    let reading = read(folder.path());
    has_note(&reading, "error a/serverless.yml:5: the runtime Php7");
    let names: Vec<_> = reading.project.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["hello-dev-hello"]);
}

#[test]
fn secrets_are_in_no_note() {
    let text = "component: scf\nname: x\ninputs:\n  runtime: Python3.6\n  handler: index.main\n  \
                environment:\n    variables:\n      A: [opensesame]\n      1B: opensesame\n      C: \
                ${env:D}\n";
    let folder = written(&[
        ("serverless.yml", text),
        (".env", "D=opensesame\nopensesame\nE: opensesame\n"),
        ("index.py", ""),
    ]);
    let reading = read(folder.path());
    assert_eq!(reading.project.functions[0].environment["C"], "opensesame");
    assert!(reading.notes.len() > 3);
    assert!(!notes(&reading).join("\n").contains("opensesame"), "{:#?}", notes(&reading));
    assert!(!format!("{:?}", reading.project).contains("opensesame"));
}

#[cfg(unix)]
#[test]
fn pipes_and_links_keep_nobody_waiting() {
    use std::{os::unix::fs::symlink, process::Command};
    let folder = written(&[("serverless.yml", GOOD), ("index.py", "")]);
    let pipe = folder.path().join("sub/serverless.yml");
    fs::create_dir(pipe.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink(folder.path(), folder.path().join("sub/again")).unwrap();
    symlink("/nowhere", folder.path().join("sub/serverless.yaml")).unwrap();
    let reading = read(folder.path());
    has_note(&reading, "error sub/serverless.yml:1: the file cannot be read");
    assert_eq!(reading.project.functions.len(), 1);
}

#[test]
fn what_a_terminal_would_obey_is_shown_as_a_mark() {
    let text = GOOD.replace("index.main", "\"\\e[31m.main\"");
    let folder = written(&[("a\u{1b}[31m/serverless.yml", text.as_str())]);
    let reading = read(folder.path());
    assert!(reading.has_errors());
    assert!(!notes(&reading).join("").contains(char::is_control), "{:#?}", notes(&reading));
}
