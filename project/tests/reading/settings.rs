//! Settings of projects whose values have characters that settings files give a meaning.

use project::{Project, Runtime, Surroundings};
use toml::{Table, Value};

use super::{read, written};

#[test]
fn values_come_back_as_they_were() {
    let text = "component: scf\nname: hello\ninputs:\n  name: hello\n  handler: index.main\n  runtime: \
                Python3.6\n  environment:\n    variables:\n      A: \"quotes \\\" ' and \\\\ and \
                \\n lines \\u0001\"\n      B: 'a ${ b'\n      C: '#'\n      D: 聊天\n";
    let folder = written(&[("a\n[b]/serverless.yml", text), ("a\n[b]/index.py", "")]);
    let reading = read(folder.path());
    let surroundings = Surroundings {
        data: "/data with \"quotes\"".into(),
        base: folder.path().to_owned(),
        ..Surroundings::default()
    };
    let texts = reading.project.settings(&surroundings);
    let functions: Table = texts.functions.parse().unwrap();
    let gateway: Table = texts.gateway.parse().unwrap();
    assert_eq!(gateway["journal"]["dir"].as_str(), Some("/data with \"quotes\"/journal"));
    let hello = &functions["functions"]["hello"];
    assert_eq!(hello["code"].as_str(), Some("a\n[b]"));
    assert_eq!(functions["variables"]["dollar"].as_str(), Some("$"));
    let value = |key: &str| hello["environment"][key].as_str().unwrap().to_owned();
    assert_eq!(value("A"), "quotes \" ' and \\ and \n lines \u{1}");
    assert_eq!(value("B"), "a ${dollar}{ b");
    assert_eq!((value("C"), value("D")), ("#".to_owned(), "聊天".to_owned()));
    let names: Vec<_> = functions.keys().map(String::as_str).collect();
    assert_eq!(names, ["access", "cloud", "functions", "variables"]);
}

#[test]
fn paths_outside_of_the_folder_are_absolute() {
    let text = "component: scf\nname: hello\ninputs:\n  name: hello\n  handler: index.main\n  runtime: \
                Python3.6\n  src: ../code\n  environment: {variables: {PYTHONPATH: own}}\n";
    let folder = written(&[("a/serverless.yml", text), ("code/index.py", "")]);
    let reading = read(folder.path());
    let code = |base: &str| {
        let surroundings = Surroundings {
            base: folder.path().join(base),
            libraries: [("hello".to_owned(), folder.path().join("libraries"))].into(),
            ..Surroundings::default()
        };
        let functions: Table = reading.project.settings(&surroundings).functions.parse().unwrap();
        let libraries = functions["functions"]["hello"]["environment"]["PYTHONPATH"].clone();
        let expected = format!("own:{}", folder.path().join("libraries").display());
        assert_eq!(libraries, Value::String(expected));
        functions["functions"]["hello"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(""), "code");
    assert_eq!(code("code"), ".");
    assert_eq!(code("a"), folder.path().join("code").to_str().unwrap());
}

#[test]
fn files_below_tmp_stay_visible_to_the_functions_that_need_them() {
    let text = "component: websocket\nname: corner\ninputs: {src: ./, faas: {name: corner}}\n";
    let folder = written(&[("serverless.yml", text), ("sls.js", "")]);
    let mut project = read(folder.path()).project;
    project.functions[0].code = "/tmp/a/project".into();
    let check = |shim: Option<&str>, libraries: &str, expected| {
        let surroundings = Surroundings {
            shim: shim.map(Into::into),
            libraries: [("corner".to_owned(), libraries.into())].into(),
            ..Surroundings::default()
        };
        let functions: Table = project.settings(&surroundings).functions.parse().unwrap();
        let found = functions["functions"]["corner"].get("private_tmp").is_none();
        assert_eq!(found, expected, "{shim:?} {libraries}");
    };
    // The folder of the code is visible, with all that is in its folder below /tmp.
    check(None, "/var/lib/libraries", true);
    check(None, "/tmp/a/libraries", true);
    check(None, "/tmp/b/libraries", false);
    check(Some("/tmp/a/shim"), "/tmp/a/libraries", true);
    check(Some("/var/lib/shim"), "/var/lib/libraries", false);
    check(Some("/tmp/b/shim"), "/tmp/b/libraries", false);
}

#[test]
fn an_interpreter_is_written_absolute_and_not_for_programs_of_their_own() {
    let text = "component: scf\nname: hello\ninputs: {name: hello, runtime: Python3.6}\n";
    let folder = written(&[("serverless.yml", text), ("index.py", "")]);
    let mut project = read(folder.path()).project;
    let surroundings = Surroundings {
        interpreters: [("hello".to_owned(), folder.path().join("bin/python"))].into(),
        base: folder.path().to_owned(),
        ..Surroundings::default()
    };
    let interpreter = |project: &Project| {
        let functions: Table = project.settings(&surroundings).functions.parse().unwrap();
        functions["functions"]["hello"].get("interpreter").cloned()
    };
    let expected = folder.path().join("bin/python").to_str().unwrap().to_owned();
    assert_eq!(interpreter(&project), Some(Value::String(expected)));
    project.functions[0].runtime = Runtime::Custom;
    assert_eq!(interpreter(&project), None);
}
