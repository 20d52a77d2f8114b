//! Errors that resist description, and ends of a process that look like others: each invocation is
//! answered with its status and the best description there is.

use serde_json::json;

use super::{
    Functions,
    functions::{folder, function, has, write},
};

const NODE: &str = include_str!("functions/errors.js");
const PYTHON: &str = include_str!("functions/errors.py");

/// More than any description has, with what is around it.
const LENGTH_MAX: usize = 100_000;

/// Checks that the function fails with 430 and these words for each of these events, and works for
/// others afterwards.
async fn check(functions: &Functions, language: &str, errors: &[(&str, &[&str])]) {
    for (event, words) in errors {
        let (status, reply) = functions.invoke(language, &json!(event)).await;
        assert_eq!(status, 430, "{language}, {event}: {reply}");
        assert!(!reply.to_string().contains("[object Object]"), "{language}, {event}: {reply}");
        let trace = reply["stackTrace"].as_str().unwrap();
        assert!(trace.len() < LENGTH_MAX, "{language}, {event}: {} bytes", trace.len());
        for word in *words {
            assert!(trace.contains(word), "{language}, {event}: {word} is not in {trace}");
        }
        assert_eq!(functions.returns(language, &json!("next")).await, "next", "after {event}");
    }
}

#[tokio::test]
async fn whatever_node_throws_is_430_with_a_description() {
    if !has("node") {
        return;
    }
    let folder = folder();
    write(folder.path(), "node/index.js", NODE);
    let lines = "timeout = \"60s\"\nmax_instances = 1";
    let later = function("node", lines).replace("main_handler", "later");
    let settings = [function("node", lines), later.replace("functions.node", "functions.later")];
    let functions = Functions::start_in(folder, &settings.concat()).await;
    let errors: &[(&str, &[&str])] = &[
        ("object", &["code: 42", "why: 'no luck'"]),
        ("cause", &["Error: outer", "index.js", "TypeError: inner", "[cause]: 'root'"]),
        ("aggregate", &["AggregateError: both", "Error: first", "Error: second"]),
        ("bare", &["bare: 'no luck'"]),
        ("undefined", &["undefined"]),
        ("symbol", &["Symbol(no luck)"]),
        ("proxy", &["{}"]),
        ("getters", &["message: [Getter]"]),
        ("stackless", &["no luck"]),
        ("circular", &["circle: [Object]"]),
        ("errors", &["no luck no luck", "more characters"]),
        ("circle", &["Error: no luck", "index.js"]),
        ("long", &["Error: xxx", "more characters"]),
        ("wide", &["key0: { i: 0 }", "99900 more keys"]),
        ("surrogate", &["no luck"]),
        ("changed", &["Error: outer: inner", "index.js"]),
        ("request", &["RequestError: no luck", "index.js", "code: 'EFAIL'", "status: 400"]),
        ("answer", &["code: 42", "authorization: '…'", "why: 'no luck'", "Error: nested"]),
    ];
    check(&functions, "node", errors).await;
    // After an error that nobody caught, another process is started.
    check(&functions, "later", errors).await;
    functions.finish().await;
}

#[tokio::test]
async fn whatever_python_raises_is_430_with_a_description() {
    if !has("python") {
        return;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", PYTHON);
    let lines = "timeout = \"60s\"\nmax_instances = 1";
    let functions = Functions::start_in(folder, &function("python", lines)).await;
    let errors: &[(&str, &[&str])] = &[
        ("no text", &["NoText", "index.py"]),
        ("failing text", &["FailingText", "index.py"]),
        ("leaving text", &["LeavingText"]),
        ("no trace", &["NoTrace: no luck"]),
        ("cause", &["KeyError: 'inner'", "direct cause", "ValueError: outer"]),
        ("context", &["KeyError: 'inner'", "another exception", "ValueError: outer"]),
        ("group", &["ValueError: first"]),
        ("many errors", &["index.py", "no luck"]),
        ("long errors", &["index.py", "no luck"]),
        ("deep", &["RecursionError"]),
        ("long", &["xxx", "more characters"]),
        ("surrogate", &["ValueError: \\ud800 no luck"]),
        ("interrupt", &["KeyboardInterrupt: no luck"]),
        ("generator", &["GeneratorExit: no luck"]),
        ("exit", &["SystemExit: no luck"]),
    ];
    check(&functions, "python", errors).await;
    functions.finish().await;
}

/// Frames of code that was made of text have the same file name as those of the bootstrap.
#[tokio::test]
async fn the_trace_of_a_python_handler_that_was_made_of_text_has_its_frames() {
    if !has("python") {
        return;
    }
    let folder = folder();
    let code = "exec('def main_handler(event, context):\\n    raise ValueError(event)')\n";
    write(folder.path(), "python/index.py", code);
    let functions = Functions::start_in(folder, &function("python", "")).await;
    let (status, reply) = functions.invoke("python", &json!("no luck")).await;
    let trace = "Traceback (most recent call last):\n  File \"<string>\", line 2, in main_handler\n\
        ValueError: no luck\n";
    assert_eq!((status, &reply["stackTrace"]), (430, &json!(trace)));
    functions.finish().await;
}

/// Errors of HTTP clients hold their request and its response. Neither the caller nor the log is to
/// have them.
#[tokio::test]
async fn secrets_in_what_node_throws_are_not_told() {
    if !has("node") {
        return;
    }
    let folder = folder();
    write(folder.path(), "node/index.js", NODE);
    let functions = Functions::start_in(folder, &function("node", "timeout = '60s'")).await;
    for event in ["request", "answer", "reasons", "pairs", "list", "names"] {
        let (status, reply) = functions.invoke("node", &json!(event)).await;
        assert_eq!(status, 430, "{event}: {reply}");
        let reply = reply.to_string();
        assert!(reply.contains("no luck") && !reply.contains("hidden"), "{event}: {reply}");
    }
    let log = functions.get("/functions/node/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("hidden"), "{log}");
    functions.finish().await;
}

/// What is thrown while the code is loaded, also if it is no exception that programs catch.
#[tokio::test]
async fn whatever_is_thrown_during_the_start_is_443_with_a_description() {
    if !has("python") || !has("node") {
        return;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", "import sys\nsys.exit('no luck')");
    write(folder.path(), "node/index.js", "throw { code: 42 }");
    let functions =
        Functions::start_in(folder, &[function("python", ""), function("node", "")].concat()).await;
    for (language, words) in [("python", "SystemExit: no luck"), ("node", "{ code: 42 }")] {
        let (status, reply) = functions.invoke(language, &json!(1)).await;
        assert_eq!(status, 443, "{reply}");
        assert!(reply["stackTrace"].as_str().unwrap().contains(words), "{reply}");
    }
    functions.finish().await;
}

/// The heap of V8 is full before the instance has reached its limit.
#[tokio::test]
async fn a_full_javascript_heap_is_434() {
    if !has("node") {
        return;
    }
    let folder = folder();
    let hoard = "exports.main_handler = (event) => {\n\
        if (event === 'next') return event;\n\
        console.log('x\\n'.repeat(100_000));\n\
        const hoard = [];\n\
        for (;;) hoard.push(new Array(1000).fill(hoard.length + 0.5));\n};";
    write(folder.path(), "node/index.js", hoard);
    // A shell that starts Node has an exit code in place of the signal.
    let shell = "#!/bin/bash\napi=http://$AWS_LAMBDA_RUNTIME_API/runtime/invocation\n\
        curl -s $api/next\n\
        node --max-old-space-size=16 -e 'const a = []; for (;;) a.push(new Array(1000).fill(0.5))'";
    write(folder.path(), "bash/bootstrap", shell);
    let lines = "timeout = '60s'\nmemory_mb = 512\nmax_instances = 1";
    let functions = [function("node", lines), function("bash", lines)].concat();
    let functions = Functions::start_in(folder, &functions).await;
    for language in ["node", "bash"] {
        let (status, reply) = functions.invoke(language, &json!("hoard")).await;
        assert_eq!(status, 434, "{language}: {reply}");
        let message = reply["errorMessage"].as_str().unwrap();
        assert!(message.contains("JavaScript heap out of memory"), "{language}: {message}");
    }
    assert_eq!(functions.returns("node", &json!("next")).await, "next");
    functions.finish().await;
}

#[tokio::test]
async fn words_of_a_javascript_heap_in_other_output_mean_nothing() {
    if !has("python") {
        return;
    }
    let folder = folder();
    let aborts = "import os\n\
        def main_handler(event, context):\n    \
            print('FATAL ERROR: Reached heap limit Allocation failed')\n    \
            os.abort()\n";
    write(folder.path(), "python/index.py", aborts);
    let shell = "#!/bin/bash\napi=http://$AWS_LAMBDA_RUNTIME_API/runtime/invocation\n\
        curl -s $api/next\n\
        echo 'FATAL ERROR: Reached heap limit Allocation failed'\n\
        kill -SEGV $$";
    write(folder.path(), "bash/bootstrap", shell);
    let functions = [function("python", ""), function("bash", "")].concat();
    let functions = Functions::start_in(folder, &functions).await;
    for language in ["python", "bash"] {
        let (status, reply) = functions.invoke(language, &json!(1)).await;
        assert_eq!(status, 439, "{language}: {reply}");
    }
    functions.finish().await;
}
