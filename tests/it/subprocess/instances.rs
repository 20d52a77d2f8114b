//! Instances: kept warm, many at once, no more than `max_instances`, and their environment.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, write},
};

/// With `max_instances`, three slow events at once are handled by `expected` different processes.
async fn check_processes(max_instances: usize, expected: usize) {
    if !has("python") {
        return;
    }
    let lines = format!("timeout = \"10s\"\nmax_instances = {max_instances}");
    let functions = Functions::start(&function("python", &lines)).await;
    let pause = json!({ "do": "pause" });
    let calls = (0..3).map(|_| functions.returns("python", &pause));
    let processes: BTreeSet<_> = join_all(calls).await.iter().map(Value::to_string).collect();
    assert_eq!(processes.len(), expected);
    functions.finish().await;
}

#[tokio::test]
async fn more_events_at_once_start_more_instances() {
    check_processes(3, 3).await;
}

#[tokio::test]
async fn there_are_at_most_max_instances_and_events_wait() {
    check_processes(1, 1).await;
}

#[tokio::test]
async fn an_event_that_waits_too_long_or_finds_the_queue_full_is_answered_432() {
    if !has("python") {
        return;
    }
    let lines = "timeout = \"1s\"\nmax_instances = 1";
    let functions = Functions::start(&function("python", lines)).await;
    functions.returns("python", &json!({})).await;
    let hang = json!({ "do": "hang" });
    let outcomes = join_all((0..12).map(|_| functions.invoke("python", &hang))).await;
    let count = |status| outcomes.iter().filter(|(found, _)| *found == status).count();
    // One event runs into its timeout. So may the next one, which has waited almost as long.
    assert!(count(433) >= 1 && count(433) + count(432) == 12, "{outcomes:?}");
    assert_eq!(functions.returns("python", &json!({})).await, json!({}));
    functions.finish().await;
}

#[tokio::test]
async fn a_warm_instance_keeps_its_globals() {
    for language in ["python", "node", "bash"] {
        if !has(language) {
            continue;
        }
        let functions = Functions::start(&function(language, "")).await;
        let count = json!({ "do": "count" });
        for expected in 1..=3 {
            assert_eq!(functions.returns(language, &count).await, expected, "{language}");
        }
        functions.finish().await;
    }
}

#[tokio::test]
async fn an_idle_instance_is_ended_and_a_warm_one_is_kept() {
    if !has("python") {
        return;
    }
    let python = |name: &str, lines: &str| {
        function("python", lines).replace("functions.python", &format!("functions.{name}"))
    };
    let text = [
        python("cools", "idle_after = \"1s\""),
        python("stays", "idle_after = \"1s\"\nmin_instances = 1"),
    ];
    let functions = Functions::start(&text.concat()).await;
    let pause = json!({ "do": "pause" });
    let (cools, stays) =
        (functions.returns("cools", &pause).await, functions.returns("stays", &pause).await);
    let has_gone = || !std::path::Path::new(&format!("/proc/{cools}")).exists();
    crate::support::soon("the end of the idle instance", async {
        while !has_gone() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_ne!(functions.returns("cools", &pause).await, cools);
    assert_eq!(functions.returns("stays", &pause).await, stays);
    functions.finish().await;
}

#[tokio::test]
async fn a_function_sees_the_documented_environment_and_nothing_else() {
    let expected = "HOME KEY LANG PATH SCF_FUNCTIONNAME SCF_FUNCTIONVERSION SCF_RUNTIME \
                    SCF_RUNTIME_API SCF_RUNTIME_API_PORT TENCENTCLOUD_APPID TENCENTCLOUD_REGION \
                    TENCENTCLOUD_RUNENV TENCENTCLOUD_UIN USER_CODE_ROOT _HANDLER";
    for language in ["python", "node"] {
        if !has(language) {
            continue;
        }
        let lines = "environment.KEY = \"value\"\ntimeout = \"7s\"\nmemory_mb = 256";
        let functions = Functions::start(&function(language, lines)).await;
        let environment = functions.returns(language, &json!({ "do": "environment" })).await;
        let mut keys: Vec<_> =
            environment.as_object().unwrap().keys().map(String::as_str).collect();
        // Python sets this variable itself if the locale is C.
        keys.retain(|key| *key != "LC_CTYPE");
        keys.sort_unstable();
        assert_eq!(keys.join(" "), expected, "{language}");
        assert_eq!(environment["KEY"], "value");
        let context = functions.returns(language, &json!({ "do": "context" })).await;
        assert_eq!(context["memory_limit_in_mb"], 256);
        assert_eq!(context["time_limit_in_ms"], 7000);
        assert_eq!(context["function_name"], language);
        assert_eq!(context["environ"], "SCF_NAMESPACE=default;KEY=value");
        functions.finish().await;
    }
}

#[tokio::test]
async fn a_process_has_limited_files_and_no_privileges() {
    if !has("bash") {
        return;
    }
    let text = r#"#!/bin/bash
        api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime"
        while curl -s -o /dev/null "$api/invocation/next"; do
          privileges=$(sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)
          curl -s -o /dev/null "$api/invocation/response" \
            -d "[$(ulimit -n),$(ulimit -c),$privileges]"
        done"#;
    let folder = folder();
    write(folder.path(), "bash/bootstrap", text);
    let functions = Functions::start_in(folder, &function("bash", "")).await;
    // Open files, core files, no new privileges.
    assert_eq!(functions.returns("bash", &json!({})).await, json!([1024, 0, 1]));
    functions.finish().await;
}
