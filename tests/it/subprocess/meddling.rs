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
