//! Functions that replace parts of the standard library, or their own output: the bootstrap goes on
//! with what it took at its start.

use serde_json::json;

use super::{
    Functions,
    functions::{folder, function, has, write},
};

/// Checks that a function with this code answers events, and tells an error.
async fn check(language: &str, file: &str, code: &str) {
    if !has(language) {
        return;
    }
    let folder = folder();
    write(folder.path(), file, code);
    let lines = "timeout = '60s'\nmax_instances = 1";
    let functions = Functions::start_in(folder, &function(language, lines)).await;
    for _ in 0..2 {
        for event in [json!("next"), json!("x".repeat(2 << 20))] {
            assert_eq!(functions.returns(language, &event).await, event);
        }
        let (status, reply) = functions.invoke(language, &json!("fail")).await;
        assert_eq!(status, 430, "{reply}");
        assert!(reply["stackTrace"].as_str().unwrap().contains("no luck"), "{reply}");
    }
    functions.finish().await;
}

#[tokio::test]
async fn a_python_function_may_replace_sockets_clocks_and_json() {
    check("python", "python/index.py", include_str!("functions/meddling.py")).await;
}

#[tokio::test]
async fn a_node_function_may_replace_sockets_timers_and_json() {
    check("node", "node/index.js", include_str!("functions/meddling.js")).await;
}

/// The bootstrap needs the language itself. What it cannot do without is named in the log.
#[tokio::test]
async fn a_node_function_that_breaks_the_language_finds_that_in_its_log() {
    if !has("node") {
        return;
    }
    let folder = folder();
    let code = "Array.prototype.join = () => { throw new Error('join was replaced'); };\n\
        exports.main_handler = async (event) => event;";
    write(folder.path(), "node/index.js", code);
    let functions = Functions::start_in(folder, &function("node", "timeout = '20s'")).await;
    let (status, reply) = functions.invoke("node", &json!(1)).await;
    assert_eq!(status, 443, "{reply}");
    assert!(reply["errorMessage"].as_str().unwrap().contains("exit status: 1"), "{reply}");
    let log = functions.get("/functions/node/logs?tail=1000").await.text().await.unwrap();
    assert!(log.contains("Error: join was replaced"), "{log}");
    functions.finish().await;
}

/// Test runners and instruments remove all listeners of the process, those of the bootstrap too.
#[tokio::test]
async fn a_node_function_may_remove_all_listeners_of_its_process() {
    if !has("node") {
        return;
    }
    let code = "process.removeAllListeners();\n\
        exports.main_handler = (event, context, callback) => {\n\
        process.removeAllListeners('uncaughtException').removeAllListeners('beforeExit');\n\
        if (event === 'fail') setTimeout(() => { throw new Error('no luck'); });\n\
        if (event === 'next') setTimeout(() => callback(null, event));\n};";
    let folder = folder();
    write(folder.path(), "node/index.js", code);
    let functions = Functions::start_in(folder, &function("node", "timeout = '20s'")).await;
    assert_eq!(functions.returns("node", &json!("next")).await, "next");
    assert_eq!(functions.returns("node", &json!("no answer")).await, json!(null));
    let (status, reply) = functions.invoke("node", &json!("fail")).await;
    assert_eq!(status, 430, "{reply}");
    assert!(reply["stackTrace"].as_str().unwrap().contains("no luck"), "{reply}");
    functions.finish().await;
}

/// Each event does one more thing to the output, and is answered.
const OUTPUT: &str = "
import io, os, sys

class Unhashable:
    __hash__ = None
    def flush(self):
        sys.exit(3)

def close():
    sys.stdout.close()

def remove():
    sys.stdout = None
    del sys.stderr

def replace():
    sys.stdout = Unhashable()
    sys.stderr = io.StringIO()

def close_files():
    os.close(1)
    os.close(2)

ACTS = {'close': close, 'remove': remove, 'replace': replace, 'close files': close_files}

def main_handler(event, context):
    if sys.stdout and not isinstance(sys.stdout, Unhashable) and not sys.stdout.closed:
        print('half a line', end='')
    if event in ACTS:
        ACTS[event]()
    if event == 'fail':
        raise ValueError('no luck')
    return event
";

#[tokio::test]
async fn a_python_function_may_replace_close_and_remove_its_output() {
    if !has("python") {
        return;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", OUTPUT);
    let lines = "timeout = '60s'\nmax_instances = 1";
    let functions = Functions::start_in(folder, &function("python", lines)).await;
    for event in ["close", "remove", "replace", "close files"] {
        assert_eq!(functions.returns("python", &json!(event)).await, event);
        let (status, reply) = functions.invoke("python", &json!("fail")).await;
        assert_eq!(status, 430, "after {event}: {reply}");
        assert_eq!(functions.returns("python", &json!("next")).await, "next", "after {event}");
    }
    functions.finish().await;
}

#[tokio::test]
async fn a_node_function_may_destroy_its_output() {
    let code = "exports.main_handler = async (event) => {\n\
        console.log('a line');\n\
        process.stdout.destroy();\nprocess.stderr.destroy();\n\
        if (event === 'fail') throw new Error('no luck');\n\
        return event;\n};";
    check("node", "node/index.js", code).await;
}
