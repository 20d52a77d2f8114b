//! The output of a function is in the log of its invocation, between the lines of SCF.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::{
    Functions,
    functions::{folder, function, has, write},
};
use crate::support::soon;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The log of a bash function with the loop `body` that is invoked with `events`.
async fn logged(body: &str, events: &[Value]) -> Vec<Value> {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("function=debug,function_runner=debug"))
        .with_writer(lines.clone())
        .json()
        .flatten_event(true)
        .finish();
    let guard = tracing::subscriber::set_default(log);
    let folder = folder();
    let text = format!(
        "#!/bin/bash\napi=\"http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime\"\n\
         echo starting\n\
         while event=$(curl -s \"$api/invocation/next\"); do\n{body}\n\
         curl -s -o /dev/null \"$api/invocation/response\" -d \"$event\"\ndone"
    );
    write(folder.path(), "bash/bootstrap", &text);
    let functions = Functions::start_in(folder, &function("bash", "")).await;
    for event in events {
        functions.invoke("bash", event).await;
    }
    functions.finish().await;
    drop(guard);
    lines.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The lines of the target `function`, without ids and numbers.
fn messages(lines: &[Value]) -> Vec<String> {
    let of_function = lines.iter().filter(|line| line["target"] == "function");
    let message = |line: &Value| {
        let id = line["span"]["invocation.id"].as_str().unwrap_or("none").to_owned();
        let text = line["message"].as_str().unwrap().replace(&id, "ID");
        let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit() || c == '.', "");
        if text.contains("Report") { digits(&text) } else { text }
    };
    of_function.map(message).collect()
}

#[tokio::test]
async fn lines_belong_to_the_invocation_that_wrote_them() {
    if !has("bash") {
        return;
    }
    let body = "echo \"got $event\"; echo error >&2; printf 'half a line'";
    let lines = logged(body, &[json!(1), json!(2)]).await;
    let found = messages(&lines);
    let invocation = |number: u8| {
        [
            "START RequestId:ID".to_owned(),
            format!("got {number}"),
            "error".to_owned(),
            "half a line".to_owned(),
            "Response RequestId:ID Bytes:1".to_owned(),
            "END RequestId:ID".to_owned(),
            "Report RequestId:ID Duration:ms Memory:MB MemUsage:MB".to_owned(),
        ]
    };
    assert_eq!(found[0], "starting");
    assert!(found[1].starts_with("Init Report RequestId:"), "{found:?}");
    assert_eq!(found[2..9], invocation(1));
    assert_eq!(found[9..16], invocation(2));
    assert_eq!(found.len(), 16, "{found:?}");
}

/// In each language, with the program of the user's own: without anything that is set for it.
#[tokio::test]
async fn lines_of_stdout_and_stderr_keep_their_order() {
    let python = "import sys\ndef main_handler(event, context):\n    \
        for number in range(300):\n        \
        print(number, file=sys.stderr if number % 3 == 0 else sys.stdout)\n    \
        return 0\n";
    let node = "exports.main_handler = async () => {\n\
        for (let n = 0; n < 300; n++) (n % 3 === 0 ? console.error : console.log)(n);\n}\n";
    for (language, file, code) in [("python", "index.py", python), ("node", "index.js", node)] {
        if !has(language) {
            continue;
        }
        let folder = folder();
        write(folder.path(), &format!("{language}/{file}"), code);
        let functions = Functions::start_in(folder, &function(language, "")).await;
        functions.invoke(language, &json!({})).await;
        let log = functions.get(&format!("/functions/{language}/logs?tail=1000")).await;
        let log = log.text().await.unwrap();
        let numbers = log.lines().filter_map(|line| line.strip_prefix("data: ")?.parse().ok());
        let numbers: Vec<u32> = numbers.collect();
        assert_eq!(numbers, (0..300).collect::<Vec<_>>(), "{language}");
        functions.finish().await;
    }
}

/// Stdout and stderr are one pipe. What has no line end when the reply comes is a line of its own.
#[tokio::test]
async fn half_a_line_is_completed_by_the_other_stream_or_by_the_end_of_the_invocation() {
    let node = "exports.main_handler = async (event) => {\n\
        process.stdout.write('out, '); console.error('err', event);\n\
        process.stderr.write('err, '); console.log('out', event);\n\
        process.stdout.write('half of ' + event);\n}\n";
    let python = "import sys\ndef main_handler(event, context):\n    \
        print('out, ', end='', flush=True)\n    print('err', event, file=sys.stderr)\n    \
        print('err, ', end='', file=sys.stderr, flush=True)\n    print('out', event)\n    \
        print('half of', event, end='')\n";
    for (language, file, code) in [("python", "index.py", python), ("node", "index.js", node)] {
        if !has(language) {
            continue;
        }
        let folder = folder();
        write(folder.path(), &format!("{language}/{file}"), code);
        let functions = Functions::start_in(folder, &function(language, "")).await;
        for event in 1..=2 {
            assert_eq!(functions.invoke(language, &json!(event)).await, (200, Value::Null));
        }
        let log = functions.get(&format!("/functions/{language}/logs?tail=1000")).await;
        let log = log.text().await.unwrap();
        let lines = log.lines().filter_map(|line| line.strip_prefix("data: "));
        let lines: Vec<_> = lines.filter(|line| !line.contains("RequestId:")).collect();
        let of = |event| {
            [format!("out, err {event}"), format!("err, out {event}"), format!("half of {event}")]
        };
        assert_eq!(lines, [of(1), of(2)].concat(), "{language}");
        functions.finish().await;
    }
}

#[tokio::test]
async fn a_flood_of_lines_is_bounded_and_counted() {
    if !has("bash") {
        return;
    }
    let body = "head -c 30000 /dev/zero | tr '\\0' x; echo; yes | head -n 30000";
    let lines = logged(body, &[json!(1), json!(2)]).await;
    let found = messages(&lines);
    assert!(found.iter().all(|line| line.len() <= 8192));
    // The long line is split into four. Lines beyond 10000 are dropped.
    let left_out = found.iter().filter(|line| *line == "20004 more lines left out").count();
    assert_eq!(left_out, 2);
    assert_eq!(found.iter().filter(|line| *line == "y").count(), 2 * 9996);
}

#[tokio::test]
async fn a_crash_loop_is_slowed_down_and_logged() {
    if !has("bash") {
        return;
    }
    // Without a pause, the runner would start warm instances again and again.
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).json().flatten_event(true);
    let guard = tracing::subscriber::set_default(log.finish());
    let folder = folder();
    write(folder.path(), "bash/bootstrap", "#!/bin/bash\nexit 7");
    let functions = Functions::start_in(folder, &function("bash", "min_instances = 1")).await;
    let start = Instant::now();
    soon("the fourth failure", async {
        while !lines.text().contains("\"pause_ms\":800") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(start.elapsed() >= Duration::from_millis(100 + 200 + 400));
    functions.finish().await;
    drop(guard);
    assert!(lines.text().contains("exit status: 7"));
}
