//! Functions that cannot start: errors in settings are reported when the runner starts, all other
//! errors at the invocation.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use super::{
    Functions,
    functions::{function, has, parse, write},
};
use crate::support::soon;

/// Checks that the settings `text` have one problem, whose text has all of `words`.
fn check_settings(text: &str, words: &[&str]) {
    let folder = super::functions::folder();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::create_dir(folder.path().join("plain")).unwrap();
    fs::write(folder.path().join("plain/bootstrap"), "#!/bin/sh").unwrap();
    write(folder.path(), "crlf/bootstrap", "#!/bin/sh\r\nexit 1\r\n");
    write(folder.path(), "other/bootstrap", "#!/no/such/shell -e\n");
    write(folder.path(), "env/bootstrap", "#!/usr/bin/env no-such\n");
    for (name, link) in [("python2.7", "python"), ("python3.5", "python3"), ("node", "js")] {
        write(folder.path(), &format!("bin/{name}"), "#!/bin/sh\n");
        symlink(name, folder.path().join("bin").join(link)).unwrap();
    }
    let error = parse(folder.path(), text).expect_err(text);
    assert_eq!(error.lines().count(), 2, "{error}");
    for word in words {
        assert!(error.contains(word), "{word} is not in {error}");
    }
}

#[tokio::test]
async fn missing_code_or_handlers_are_reported_at_start_up() {
    let python = function("python", "");
    check_settings(
        &python.replace("code = \"python\"", "code = \"nowhere\""),
        &[
            "functions.toml: functions.python.code: ",
            "/nowhere cannot be opened",
            "name the folder",
        ],
    );
    check_settings(
        &python.replace("code = \"python\"", "code = \"file\""),
        &["functions.python.code: ", "/file is not a folder"],
    );
    check_settings(
        &python.replace("code = \"python\"", ""),
        &["functions.python.code: is missing"],
    );
    check_settings(
        &python.replace("code = \"python\"", "code = \"empty\""),
        &["functions.python.handler: ", "/empty/index.py is not there"],
    );
    for handler in ["main_handler", ".main_handler", "index.", "/index.main_handler"] {
        check_settings(
            &python.replace("index.main_handler", handler),
            &["functions.python.handler: ", "use <file>.<function>"],
        );
    }
    check_settings(
        &function("python", "interpreter = \"file\""),
        &["functions.python.interpreter: ", "/file is not an executable file"],
    );
    let bash = function("bash", "");
    check_settings(
        &bash.replace("code = \"bash\"", "code = \"empty\""),
        &["functions.bash.code: ", "/empty/bootstrap is not there"],
    );
    check_settings(
        &bash.replace("code = \"bash\"", "code = \"plain\""),
        &["functions.bash.code: ", "/plain/bootstrap is not executable", "chmod +x"],
    );
    check_settings(
        &bash.replace("code = \"bash\"", "code = \"crlf\""),
        &["functions.bash.code: ", "/crlf/bootstrap has the line ends of Windows (CRLF)"],
    );
    check_settings(
        &bash.replace("code = \"bash\"", "code = \"other\""),
        &["functions.bash.code: ", "/other/bootstrap names the interpreter /no/such/shell"],
    );
    check_settings(
        &bash.replace("code = \"bash\"", "code = \"env\""),
        &["functions.bash.code: ", "/env/bootstrap names no-such in its first line", "/usr/bin"],
    );
    check_settings(
        &function("python", "interpreter = \"crlf/bootstrap\""),
        &["functions.python.interpreter: ", "/crlf/bootstrap has the line ends of Windows"],
    );
    check_settings(
        &function("python", "interpreter = \"nowhere/python3\""),
        &["functions.python.interpreter: ", "/nowhere/python3 is not there; name one, or leave it"],
    );
    for (language, interpreter, is, needed) in [
        ("python", "python", "python2.7", "runtime \"python3\" need Python 3.6 or newer"),
        ("python", "python3", "python3.5", "runtime \"python3\" need Python 3.6 or newer"),
        ("python", "js", "node", "runtime \"python3\" need Python 3.6 or newer"),
        ("node", "python", "python2.7", "runtime \"nodejs\" need Node 10 or newer"),
    ] {
        check_settings(
            &function(language, &format!("interpreter = \"bin/{interpreter}\"")),
            &[
                &format!("functions.{language}.interpreter: "),
                &format!("/bin/{interpreter} is {is}, and functions with {needed}; name one"),
            ],
        );
    }
    check_settings(
        &function("bash", "environment._HANDLER = \"x\""),
        &["functions.bash.environment._HANDLER: is kept for the runner"],
    );
    check_settings(
        &function("bash", "max_instances = 2\nmin_instances = 3"),
        &["functions.bash.min_instances: 3 is more than max_instances"],
    );
    check_settings(
        &function("bash", "interpreter = \"bash\""),
        &["functions.bash.interpreter: has no use with runtime \"custom\"; remove it"],
    );
    check_settings(
        &function("bash", "init_timeout = \"2s\""),
        &["functions.bash.init_timeout: \"2s\" is not valid"],
    );
}

/// A handler whose file is there, and could not be loaded.
#[test]
fn handlers_that_cannot_be_loaded_are_reported_at_start_up() {
    let check = |language: &str, file: &str, handler: &str, words: &[&str]| {
        let folder = super::functions::folder();
        write(folder.path(), &format!("{language}/{file}"), "");
        let settings = function(language, "").replace("index.main_handler", handler);
        let error = parse(folder.path(), &settings).expect_err(handler);
        let key = format!("functions.{language}.handler: ");
        for word in [&[key.as_str()], words].concat() {
            assert!(error.contains(word), "{word} is not in {error}");
        }
    };
    let no_dots = ["a.b/c.py cannot be imported: a dot stands between", "rename the file"];
    check("python", "a.b/c.py", "a.b/c.main", &no_dots);
    check("python", "a.b.py", "a.b.main", &["a.b.py cannot be imported"]);
    check("python", "a/b.py", "a//b.main", &["\"a//b\" has an empty name"]);
    check("python", "a/b.py", "index/../a/b.main", &["has an empty name"]);
    check("python", "index/b.py", "index.b.main", &["index.py hides the folder index: rename"]);
    for (file, handler) in
        [("abc.py", "abc.main"), ("io/b.py", "io.b.main"), ("sys.py", "sys.main")]
    {
        check("python", file, handler, &["cannot be imported: Python itself has a module"]);
    }
    check("python", "a/b.py", "a.b/main", &["use <file>.<function>"]);
    check("node", "a/b.js", "a.b.main", &["a.b.js is not there", "use \"a/b.main\""]);
    check("node", "a/b.js", "a.b/c.main", &["a.b/c.js is not there; name a file"]);
    check("node", "a.b/c.js", "a/b/c.main", &["a/b/c.js is not there"]);
}

/// Checks that the code `text` in the file `name` makes an invocation fail with `status` and a
/// message with `words`, and that the function works once the code is corrected.
async fn check(language: &str, name: &str, text: &str, status: u16, words: &str) {
    if !has(language) {
        return;
    }
    let folder = super::functions::folder();
    let path = folder.path().join(name);
    let good = fs::read_to_string(&path).unwrap();
    let lines = "timeout = \"10s\"\ninit_timeout = \"3s\"";
    let functions = Functions::start_in(folder, &function(language, lines)).await;
    write(functions.folder.path(), name, text);
    let (found, reply) = functions.invoke(language, &json!({})).await;
    assert_eq!(found, status, "{reply}");
    let text = format!("{} {}", reply["errorMessage"], reply["stackTrace"]);
    assert!(text.contains(words), "{text}");
    // Python would use its compiled file if the new one had the same size and second of change.
    let _ = fs::remove_dir_all(functions.folder.path().join("python/__pycache__"));
    write(functions.folder.path(), name, &good);
    // After a failure the runner waits a moment before the next start.
    soon("another process", async {
        while functions.invoke(language, &json!({})).await.0 != 200 {}
    })
    .await;
    functions.finish().await;
}

#[tokio::test]
async fn python_that_does_not_load_is_443_with_its_trace() {
    check("python", "python/index.py", "def main_handler(:", 443, "SyntaxError").await;
    check("python", "python/index.py", "import nothing_such", 443, "nothing_such").await;
}

#[tokio::test]
async fn a_missing_handler_is_437() {
    check("python", "python/index.py", "x = 1", 437, "index has no function main_handler").await;
    check("node", "node/index.js", "exports.x = 1", 437, "index.main_handler is not").await;
}

#[tokio::test]
async fn node_that_does_not_load_is_443_with_its_trace() {
    check("node", "node/index.js", "exports.main_handler = (", 443, "SyntaxError").await;
}

#[tokio::test]
async fn a_bootstrap_that_ends_at_once_is_443_with_its_output() {
    check("bash", "bash/bootstrap", "#!/bin/bash\necho oh no >&2; exit 7", 443, "oh no").await;
}

/// Says why it does not start, and exits without waiting for the answer. Its connection is known to
/// be that of the instance by then: it has had an answer. The reason is too long to be read at
/// once.
const SAYS_WHY: &str = r#"#!/usr/bin/env python3
import http.client, os
api = http.client.HTTPConnection("127.0.0.1", int(os.environ["SCF_RUNTIME_API_PORT"]))
api.request("GET", "/")
api.getresponse().read()
why = b'{"errorMessage": "the database is away"}' + b" " * (1 << 20)
api.request("POST", "/runtime/init/error", body=why)
os._exit(1)
"#;

#[tokio::test]
async fn a_bootstrap_that_says_why_and_ends_at_once_is_443_with_its_reason() {
    for _ in 0..5 {
        check("bash", "bash/bootstrap", SAYS_WHY, 443, "the database is away").await;
    }
}

#[tokio::test]
async fn a_bootstrap_that_cannot_be_executed_is_443_with_the_reason() {
    let crlf = "#!/bin/bash\r\nexit 7\r\n";
    check("bash", "bash/bootstrap", crlf, 443, "has the line ends of Windows (CRLF)").await;
    let missing = "names the interpreter /no/such/shell in its first line, which is not there";
    check("bash", "bash/bootstrap", "#!/no/such/shell\n", 443, missing).await;
    // Whatever processor the machine has, it is not this one.
    let other = "\x7fELF\x02\x01\x01                 \x08 and nothing else";
    let words = "is a program for other processors";
    check("bash", "bash/bootstrap", other, 443, words).await;
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_450() {
    check("bash", "bash/bootstrap", "#!/bin/bash\nsleep 1000", 450, "longer than 3 seconds").await;
}

#[tokio::test]
async fn an_invocation_waits_for_a_slow_start() {
    if !has("python") {
        return;
    }
    let folder = super::functions::folder();
    let slow = format!("import time\ntime.sleep(1.5)\n{}", super::functions::PYTHON);
    write(folder.path(), "python/index.py", &slow);
    // The start does not count for the timeout of the invocation.
    let functions = Functions::start_in(folder, &function("python", "timeout = \"1s\"")).await;
    assert_eq!(functions.returns("python", &json!({})).await, json!({}));
    functions.finish().await;
}

#[tokio::test]
async fn es_modules_vendor_folders_and_dotted_paths_load() {
    if !has("python") || !has("node") {
        return;
    }
    let folder = super::functions::folder();
    write(folder.path(), "node/index.mjs", "export const main_handler = async () => 'es';");
    fs::remove_file(folder.path().join("node/index.js")).unwrap();
    write(folder.path(), "python/vendor/helper.py", "word = 'vendored'");
    let code = "import helper\ndef main_handler(event, context): return helper.word";
    write(folder.path(), "python/pack/deep.py", code);
    let python = function("python", "").replace("index.main_handler", "pack.deep.main_handler");
    let functions = Functions::start_in(folder, &[python, function("node", "")].concat()).await;
    assert_eq!(functions.returns("node", &json!({})).await, "es");
    assert_eq!(functions.returns("python", &json!({})).await, "vendored");
    functions.finish().await;
}
