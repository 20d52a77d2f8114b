//! Code in Node that fails after its last line, while it is still being loaded: the start has
//! failed, and says why.

use serde_json::json;

use super::{
    Functions,
    functions::{function, has, write},
};

const HANDLER: &str = "exports.main_handler = async (event) => event;\n";

#[tokio::test]
async fn what_node_throws_right_after_the_code_was_loaded_is_443() {
    if !has("node") {
        return;
    }
    let module = "Promise.reject(new Error('boom'));\n\
        await new Promise((resolve) => setTimeout(resolve, 20));\n\
        export const main_handler = async (event) => event;";
    let settings = function("node", "timeout = '30s'");
    for (file, code) in [
        ("index.js", &format!("Promise.reject(new Error('boom'));\n{HANDLER}")),
        (
            "index.js",
            &format!("process.nextTick(() => {{ throw new Error('boom'); }});\n{HANDLER}"),
        ),
        ("index.js", &format!("setImmediate(() => {{ throw new Error('boom'); }});\n{HANDLER}")),
        ("index.mjs", &module.to_owned()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &format!("node/{file}"), code);
        let functions = Functions::start_in(folder, &settings).await;
        let (status, reply) = functions.invoke("node", &json!(1)).await;
        assert_eq!(status, 443, "{code}: {reply}");
        let message = reply["errorMessage"].as_str().unwrap();
        assert!(message.contains("could not be loaded: boom"), "{code}: {message}");
        assert!(reply["stackTrace"].as_str().unwrap().contains(file), "{code}: {reply}");
        functions.finish().await;
    }
}
