//! One table of cases for all languages. A failing function affects only its own request: after
//! each case the next event is answered.

use serde_json::{Value, json};

use super::{
    Functions,
    functions::{function, has},
};
use crate::support::soon;

const ALL: &[&str] = &["rust", "python", "node", "bash"];
/// The languages whose functions run in child processes.
const PROCESSES: &[&str] = &["python", "node", "bash"];

/// The expected reply to an event.
enum Expected {
    /// The event itself.
    Echo,
    /// An error object with this status, and with this text in its stack trace or message.
    Fault(u16, &'static str),
}

use Expected::{Echo, Fault};

fn cases() -> Vec<(&'static str, Value, &'static [&'static str], Expected)> {
    let large = "\u{4f60}\"\\".repeat(200_000);
    let golden = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let register = golden(include_str!("../../../shared/golden/register-full.json"));
    let text = golden(include_str!("../../../shared/golden/transmit-text.json"));
    let binary = golden(include_str!("../../../shared/golden/transmit-binary.json"));
    let cleanup = golden(include_str!("../../../shared/golden/cleanup-reason.json"));
    let act = |what: &str| json!({ "do": what });
    vec![
        ("register", register, ALL, Echo),
        ("transmit", text, ALL, Echo),
        ("binary", binary, ALL, Echo),
        ("cleanup", cleanup, ALL, Echo),
        ("unicode", json!({"\u{4f60}": "\u{1f600}\u{0}\u{7f}\u{2028}"}), ALL, Echo),
        ("a megabyte", json!({ "data": large }), ALL, Echo),
        ("exception", act("raise"), ALL, Fault(430, "no luck")),
        ("timeout", act("hang"), ALL, Fault(433, "timed out after 2 seconds")),
        ("exit", act("exit"), PROCESSES, Fault(439, "exit status: 3")),
        ("memory", act("eat"), PROCESSES, Fault(434, "128 MB of memory")),
        ("bad reply", act("garble"), PROCESSES, Fault(430, "")),
        ("large reply", act("grow"), ALL, Fault(407, "larger than 6291456 bytes")),
        ("flood of output", act("flood"), PROCESSES, Echo),
    ]
}

/// Runs the cases of `language` against one function, one after the other.
async fn check(language: &'static str) {
    if !has(language) {
        return;
    }
    let lines = |timeout| format!("timeout = \"{timeout}\"\nmemory_mb = 128\nmax_instances = 1");
    let quick = Functions::start(&function(language, &lines("2s"))).await;
    // To use up memory or to write much takes a busy machine more time than a timeout that is
    // waited for.
    let patient = Functions::start(&function(language, &lines("30s"))).await;
    for (name, event, languages, expected) in cases() {
        if !languages.contains(&language) {
            continue;
        }
        let is_long = ["memory", "flood of output"].contains(&name);
        let functions = if is_long { &patient } else { &quick };
        let (status, reply) = functions.invoke(language, &event).await;
        match expected {
            Echo => assert!((status, &reply) == (200, &event), "{language}, {name}: {status}"),
            Fault(code, words) => {
                assert_eq!(status, code, "{language}, {name}: {reply}");
                assert_eq!(reply["statusCode"], code);
                let text = format!("{} {}", reply["errorMessage"], reply["stackTrace"]);
                assert!(text.contains(words), "{language}, {name}: {text}");
            }
        }
        let next = json!({ "next": name });
        assert_eq!(functions.returns(language, &next).await, next, "{language} after {name}");
    }
    quick.finish().await;
    patient.finish().await;
}

#[tokio::test]
async fn a_failing_function_in_rust_affects_only_its_own_request() {
    check("rust").await;
}

#[tokio::test]
async fn a_failing_function_in_python_affects_only_its_own_request() {
    check("python").await;
}

#[tokio::test]
async fn a_failing_function_in_node_affects_only_its_own_request() {
    check("node").await;
}

#[tokio::test]
async fn a_failing_function_in_bash_affects_only_its_own_request() {
    check("bash").await;
}

/// All ways in which a handler in Node can reply.
#[tokio::test]
async fn node_answers_by_promise_callback_and_context() {
    if !has("node") {
        return;
    }
    let callback = function("node", "").replace("main_handler", "callback");
    let callback = callback.replace("functions.node", "functions.callback");
    let functions = Functions::start(&[function("node", ""), callback].concat()).await;
    for (act, reply) in [
        ("callback", json!("called")),
        ("done", json!("done")),
        ("succeed", json!("succeeded")),
        ("nothing", Value::Null),
    ] {
        assert_eq!(functions.returns("callback", &json!({ "do": act })).await, reply, "{act}");
    }
    for act in ["callback-error", "fail"] {
        assert_eq!(functions.invoke("callback", &json!({ "do": act })).await.0, 430);
    }
    assert_eq!(functions.returns("node", &json!({"do": "undefined"})).await, Value::Null);
    // Work that goes on after the reply is not stopped, and ends.
    let leave = json!({"do": "leave"});
    soon("the end of the work", async { while functions.returns("node", &leave).await == 0 {} })
        .await;
    functions.finish().await;
}
