//! Processes of functions in Python that end in other ways than the runner expects: by a signal
//! handler, by `sys.exit`, as a copy of the process.

use serde_json::json;

use super::{
    Functions,
    functions::{folder, function, has, write},
};
use crate::support::soon;

/// A function with this code, of which there is one process at a time.
async fn start(code: &str) -> Option<Functions> {
    if !has("python") {
        return None;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", code);
    let lines = "timeout = '60s'\nmax_instances = 1";
    Some(Functions::start_in(folder, &function("python", lines)).await)
}

/// Waits until `words` are in the log.
async fn until_logged(functions: &Functions, words: &str) {
    soon("the line", async {
        let path = "/functions/python/logs?tail=1000";
        while !functions.get(path).await.text().await.unwrap().contains(words) {}
    })
    .await;
}

/// An alarm that outlives its event. `TimeoutError` is an `OSError`, as the errors of sockets are.
#[tokio::test]
async fn an_exception_of_a_signal_handler_between_events_is_in_the_log() {
    let code = "import os, signal\n\
        def late(*_):\n    raise TimeoutError('late')\n\
        signal.signal(signal.SIGALRM, late)\n\
        def main_handler(event, context):\n    \
        if event == 'alarm':\n        signal.setitimer(signal.ITIMER_REAL, 0.05)\n    \
        return os.getpid()\n";
    let Some(functions) = start(code).await else { return };
    let process = functions.returns("python", &json!("alarm")).await;
    until_logged(&functions, "TimeoutError: late").await;
    assert_ne!(functions.returns("python", &json!("next")).await, process);
    functions.finish().await;
}

/// At the end of a program, Python waits for its threads.
#[tokio::test]
async fn a_process_that_has_called_sys_exit_ends_while_its_threads_go_on() {
    let code = "import atexit, sys, threading, time\n\
        atexit.register(lambda: print('at exit', end=''))\n\
        def main_handler(event, context):\n    \
        if event == 'exit':\n        \
        threading.Thread(target=time.sleep, args=(1000,)).start()\n        sys.exit(3)\n    \
        return event\n";
    let Some(functions) = start(code).await else { return };
    assert_eq!(functions.invoke("python", &json!("exit")).await.0, 430);
    assert_eq!(functions.returns("python", &json!("next")).await, "next");
    until_logged(&functions, "at exit").await;
    functions.finish().await;
}

/// A copy that comes to the end of the module would ask for events, as its parent does.
#[tokio::test]
async fn a_process_that_was_forked_while_the_code_was_loaded_takes_no_events() {
    let code = "import os, time\n\
        parent = os.getpid()\n\
        children = []\n\
        for end in ('return', 'raise', 'exit'):\n    \
        child = os.fork()\n    \
        if child == 0 and end == 'raise':\n        raise ValueError('in the child')\n    \
        if child == 0 and end == 'exit':\n        raise SystemExit(7)\n    \
        if child == 0:\n        break\n    \
        children.append(child)\n\
        def main_handler(event, context):\n    \
        ends = [os.WEXITSTATUS(os.waitpid(child, 0)[1]) for child in children]\n    \
        children.clear()\n    \
        return [os.getpid() == parent, ends]\n";
    let Some(functions) = start(code).await else { return };
    for ends in [json!([0, 1, 7]), json!([])] {
        assert_eq!(functions.returns("python", &json!("next")).await, json!([true, ends]));
    }
    until_logged(&functions, "ValueError: in the child").await;
    functions.finish().await;
}

/// A copy that comes back from the handler has the connection of its parent, and must not use it.
#[tokio::test]
async fn a_forked_process_does_not_answer() {
    let code = "import os, sys\n\
        def main_handler(event, context):\n    \
        child = os.fork()\n    \
        if child == 0:\n        \
        if event == 'raise':\n            raise ValueError('in the child')\n        \
        if event == 'exit':\n            sys.exit(7)\n        \
        return 'child'\n    \
        return os.WEXITSTATUS(os.waitpid(child, 0)[1])\n";
    let Some(functions) = start(code).await else { return };
    for (event, code) in [("return", 0), ("raise", 1), ("exit", 7), ("return", 0)] {
        assert_eq!(functions.returns("python", &json!(event)).await, code, "{event}");
    }
    until_logged(&functions, "ValueError: in the child").await;
    functions.finish().await;
}
