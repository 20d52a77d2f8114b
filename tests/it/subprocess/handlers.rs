//! The forms in which the handler of a function may be written.

use serde_json::{Value, json};

use super::{
    Functions,
    functions::{function, has, write},
};

/// A function in Node: its name, its files, lines of its settings, and the reply to `"event"`.
type Form<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

/// Checks the replies of `forms`, each a function of its own.
async fn check(forms: &[Form<'_>]) {
    if !has("node") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut settings = String::new();
    for (name, files, lines, _) in forms {
        for (file, text) in *files {
            write(folder.path(), &format!("{name}/{file}"), text);
        }
        settings += &format!(
            "[functions.{name}]\nruntime = 'nodejs'\nhandler = 'index.main_handler'\n\
             code = '{name}'\ntimeout = '30s'\n{lines}\n"
        );
    }
    let functions = Functions::start_in(folder, &settings).await;
    for (name, _, _, reply) in forms {
        // The second event goes to the same process.
        for _ in 0..2 {
            let (status, found) = functions.invoke(name, &json!("event")).await;
            let expected: Value = serde_json::from_str(reply).unwrap();
            assert_eq!((status, found), (200, expected), "{name}");
        }
    }
    functions.finish().await;
}

/// What a handler returns on the way to its callback is not its reply.
#[tokio::test]
async fn a_returned_value_does_not_win_over_a_callback() {
    let file = "index.js";
    check(&[
        (
            "timer",
            &[(file, "exports.main_handler = (e, c, cb) => setTimeout(() => cb(null, 'real'), 20);")],
            "",
            "\"real\"",
        ),
        (
            "value",
            &[(
                file,
                "exports.main_handler = (e, c, cb) => { setTimeout(cb, 20, null, 'real'); return 5; };",
            )],
            "",
            "\"real\"",
        ),
        (
            "succeed",
            &[(file, "exports.main_handler = (e, c) => setTimeout(() => c.succeed('real'), 20);")],
            "",
            "\"real\"",
        ),
        (
            "emitter",
            &[(
                file,
                "const { EventEmitter } = require('node:events');\n\
                 exports.main_handler = (...all) => {\n\
                 const emitter = new EventEmitter();\n\
                 setTimeout(() => emitter.emit('done', 'real'), 20);\n\
                 return emitter.once('done', (value) => all[2](null, value));\n};",
            )],
            "",
            "\"real\"",
        ),
        // With fewer than three declared parameters a value is the reply.
        (
            "rest",
            &[(
                file,
                "exports.main_handler = (...all) => { setTimeout(all[2], 20, null, 'late'); return 5; };",
            )],
            "",
            "5",
        ),
        (
            "default",
            &[(
                file,
                "exports.main_handler = (e, c, cb = null) => { setTimeout(cb, 20, null, 'late'); return 5; };",
            )],
            "",
            "5",
        ),
        ("promise", &[(file, "exports.main_handler = (e, c, cb) => Promise.resolve(e);")], "", "\"event\""),
        ("thenable", &[(file, "exports.main_handler = (e) => ({ then: (done) => done(e) });")], "", "\"event\""),
        ("plain", &[(file, "exports.main_handler = (e) => e;")], "", "\"event\""),
        ("unused", &[(file, "exports.main_handler = (e, c, cb) => e;")], "", "\"event\""),
        ("nothing", &[(file, "exports.main_handler = (e, c, cb) => {};")], "", "null"),
        ("idle", &[(file, "exports.main_handler = (e, c, cb) => setTimeout(() => {}, 1);")], "", "null"),
    ])
    .await;
}

/// The forms of the cloud's documents, and those that compilers make.
#[tokio::test]
async fn a_handler_may_be_the_only_export_of_its_file() {
    let compiled = "exports.__esModule = true; exports.default = async (event) => event;";
    check(&[
        ("function", &[("index.js", "module.exports = async (event) => event;")], "", "\"event\""),
        (
            "callback",
            &[(
                "index.cjs",
                "module.exports = (event, context, callback) => callback(null, event);",
            )],
            "",
            "\"event\"",
        ),
        ("default", &[("index.mjs", "export default async (event) => event;")], "", "\"event\""),
        (
            "object",
            &[("index.mjs", "export default { main_handler: async (event) => event };")],
            "",
            "\"event\"",
        ),
        ("compiled", &[("index.js", compiled)], "", "\"event\""),
        (
            "named",
            &[(
                "index.js",
                "module.exports = () => 1; module.exports.main_handler = (event) => event;",
            )],
            "",
            "\"event\"",
        ),
    ])
    .await;
}

/// The main module is not that of the function, so a file that can be run by itself is not run.
#[tokio::test]
async fn require_main_is_a_module_in_the_folder_of_the_code() {
    let code = "const path = require('node:path');\n\
        const main = require.main;\n\
        const found = [main === module, main === process.mainModule, main.require('./lib').word,\n  \
        path.dirname(main.filename) === __dirname, main.paths[0] === path.join(__dirname, \
        'node_modules')];\n\
        exports.main_handler = async () => found;";
    let library = "exports.word = 'library';";
    let reply = "[false, true, \"library\", true, true]";
    check(&[("main", &[("index.js", code), ("lib.js", library)], "", reply)]).await;
}

/// What Node puts into the global scope for a program that is given as text.
#[tokio::test]
async fn the_global_scope_is_that_of_a_program_in_a_file() {
    let code = "export const main_handler = async () =>\n  \
        [typeof require, typeof module, typeof exports, typeof fs, typeof call, typeof URL];";
    let reply =
        "[\"undefined\", \"undefined\", \"undefined\", \"undefined\", \"undefined\", \"function\"]";
    check(&[("scope", &[("index.mjs", code)], "", reply)]).await;
}

/// Node 20 has all of these options.
#[tokio::test]
async fn options_of_node_for_the_kind_of_modules_do_not_reach_the_bootstrap() {
    let common: &[_] = &[
        ("index.cjs", "exports.main_handler = async (event) => [event, globalThis.preloaded];"),
        ("preload.cjs", "globalThis.preloaded = true;"),
        ("preload.mjs", "globalThis.preloaded = true;"),
    ];
    check(&[
        ("input", common, "environment.NODE_OPTIONS = '--input-type=module'", "[\"event\", null]"),
        ("require", common, "environment.NODE_OPTIONS = '-r ./preload.cjs'", "[\"event\", true]"),
        (
            "import",
            common,
            "environment.NODE_OPTIONS = '--import ./preload.mjs'",
            "[\"event\", true]",
        ),
    ])
    .await;
    let version = std::process::Command::new("node").arg("--version").output();
    if version.is_ok_and(|version| version.stdout.starts_with(b"v20.")) {
        let module: &[_] = &[("index.js", "export const main_handler = async (event) => event;")];
        let options = "environment.NODE_OPTIONS = '--experimental-default-type=module'";
        check(&[("default", module, options, "\"event\"")]).await;
    }
}

#[tokio::test]
async fn es_modules_may_wait_at_their_top_level_in_files_of_each_name() {
    let code = "const word = await Promise.resolve('late');\n\
        export const main_handler = async (event) => [event, word];";
    let package = ("package.json", "{\"type\": \"module\"}");
    let reply = "[\"event\", \"late\"]";
    check(&[
        ("mjs", &[("index.mjs", code)], "", reply),
        ("package", &[("index.js", code), package], "", reply),
    ])
    .await;
}

/// Node 20.19 and 22.7 see by the syntax that a file without a package.json is an ES module.
#[tokio::test]
async fn an_es_module_in_a_js_file_is_known_by_its_syntax() {
    let asked = "process.exit(process.features.require_module || +process.version.slice(1, 3) > 21 ? 0 : 1)";
    let node = std::process::Command::new("node").args(["-e", asked]).status();
    if !node.is_ok_and(|status| status.success()) {
        skipped::without("a node that knows ES modules by their syntax (20.19) is missing");
        return;
    }
    let code = "const word = await Promise.resolve('late');\n\
        export const main_handler = async (event) => [event, word];";
    check(&[("syntax", &[("index.js", code)], "", "[\"event\", \"late\"]")]).await;
}

/// Without anything that is left to run, Node would end the process.
#[tokio::test]
async fn code_that_waits_for_what_never_comes_is_an_error() {
    if !has("node") {
        return;
    }
    for (file, code, expected, words) in [
        (
            "index.mjs",
            "await new Promise(() => {});\nexport default 1;",
            443,
            "a top-level await waits for something that never comes",
        ),
        (
            "index.js",
            "exports.main_handler = async () => { await new Promise(() => {}); };",
            430,
            "the returned promise waits for something that never comes",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &format!("node/{file}"), code);
        let functions = Functions::start_in(folder, &function("node", "")).await;
        // Twice: the process goes on.
        for _ in 0..2 {
            let (status, reply) = functions.invoke("node", &json!(1)).await;
            assert_eq!(status, expected, "{reply}");
            assert!(reply["stackTrace"].as_str().unwrap().contains(words), "{reply}");
        }
        functions.finish().await;
    }
}

/// Linters leave a third parameter that is not used, and an open connection keeps the process busy.
#[tokio::test]
async fn the_log_says_when_a_callback_was_declared_and_not_called() {
    if !has("node") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let code = "setInterval(() => {}, 1000);\nexports.main_handler = (e, c, callback) => e;";
    write(folder.path(), "node/index.js", code);
    let functions = Functions::start_in(folder, &function("node", "timeout = '5s'")).await;
    assert_eq!(functions.invoke("node", &json!(1)).await.0, 433);
    let log = functions.get("/functions/node/logs?tail=1000").await.text().await.unwrap();
    assert!(log.contains("has returned a value, but it declares a callback"), "{log}");
    functions.finish().await;
}
