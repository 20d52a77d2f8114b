//! Which export of a file in Node is the handler. No other function of the file is run by mistake.

use serde_json::json;

use super::{
    Functions,
    functions::{function, has, write},
};

/// Invokes a function with this handler, whose file has this code.
async fn invoke(handler: &str, file: &str, code: &str) -> (u16, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &format!("node/{file}"), code);
    let settings = function("node", "timeout = '30s'").replace("index.main_handler", handler);
    let functions = Functions::start_in(folder, &settings).await;
    let outcome = functions.invoke("node", &json!("right")).await;
    functions.finish().await;
    outcome
}

#[tokio::test]
async fn a_default_export_beside_others_is_not_taken_for_the_handler() {
    if !has("node") {
        return;
    }
    for (file, code, names) in [
        (
            "index.mjs",
            "export default () => 'wrong'; export const main_handler = () => 'right';",
            "main_handler",
        ),
        (
            "index.js",
            "module.exports = () => 'wrong'; module.exports.main_handler = () => 'right';",
            "main_handler",
        ),
        ("index.js", "const app = () => 'wrong'; app.use = () => 1; module.exports = app;", "use"),
        (
            "index.js",
            "exports.__esModule = true; exports.default = () => 'wrong'; exports.other = 1;",
            "other",
        ),
    ] {
        let (status, reply) = invoke("index.main_handlr", file, code).await;
        assert_eq!(status, 437, "{code}: {reply}");
        let words =
            format!("index.main_handlr is not an exported function; the file exports {names}");
        assert_eq!(reply["errorMessage"], words, "{code}");
    }
}

#[tokio::test]
async fn a_default_export_has_the_name_default() {
    if !has("node") {
        return;
    }
    let compiled = "exports.__esModule = true; exports.default = async (event) => event;";
    for (file, code) in [
        ("index.js", compiled),
        ("index.js", "module.exports = (event) => event; module.exports.main_handler = () => 1;"),
        ("index.mjs", "export default (event) => event; export const main_handler = () => 1;"),
    ] {
        assert_eq!(invoke("index.default", file, code).await, (200, json!("right")), "{code}");
    }
}
