//! The forms in which the handler of a function may be written.

use serde_json::{Value, json};

use super::{
    Functions,
    functions::{has, write},
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
        ("promise", &[(file, "exports.main_handler = (e, c, cb) => Promise.resolve(e);")], "", "\"event\""),
        ("thenable", &[(file, "exports.main_handler = (e) => ({ then: (done) => done(e) });")], "", "\"event\""),
        ("plain", &[(file, "exports.main_handler = (e) => e;")], "", "\"event\""),
        ("unused", &[(file, "exports.main_handler = (e, c, cb) => e;")], "", "\"event\""),
        ("nothing", &[(file, "exports.main_handler = (e, c, cb) => {};")], "", "null"),
        ("idle", &[(file, "exports.main_handler = (e, c, cb) => setTimeout(() => {}, 1);")], "", "null"),
    ])
    .await;
}
