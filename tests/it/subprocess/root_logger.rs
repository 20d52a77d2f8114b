//! What Python functions write to the logger of the standard library.

use serde_json::json;

use super::{
    Functions,
    functions::{folder, function, has, write},
};

/// Calls `basicConfig` as programs do that also run elsewhere.
const CODE: &str = "
import logging

logging.info('loading')
logging.basicConfig(level=logging.DEBUG)

def main_handler(event, context):
    logging.debug('hidden')
    logging.info('hello %s', event)
    logging.getLogger('library').warning('two\\nlines')
    return context['request_id']
";

/// Each event does something to the output, and then logs.
const REPLACING: &str = "
import codecs, io, logging, sys

class Mute:
    pass

def close():
    sys.stdout.close()

def remove():
    sys.stdout = None

def delete():
    del sys.stdout

def wrap():
    sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')

def encode():
    sys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach())

def replace():
    sys.stdout = Mute()

def choose():
    logging.root.handlers[0].setStream(sys.stderr)

def main_handler(event, context):
    globals()[event]()
    logging.info('after %s', event)
    return event
";

#[tokio::test]
async fn a_python_function_logs_whatever_it_does_to_its_output() {
    if !has("python") {
        return;
    }
    let acts = ["wrap", "encode", "close", "remove", "delete", "replace", "choose"];
    let folder = folder();
    write(folder.path(), "python/index.py", REPLACING);
    let functions = Functions::start_in(folder, &function("python", "max_instances = 1")).await;
    for act in acts {
        assert_eq!(functions.returns("python", &json!(act)).await, act);
    }
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    for act in acts {
        assert_eq!(log.matches(&format!(" after {act}\n")).count(), 1, "{act}: {log}");
    }
    assert!(!log.contains("Logging error"), "{log}");
    functions.finish().await;
}

#[tokio::test]
async fn info_of_pythons_logger_is_in_the_log_once_with_the_request_id() {
    if !has("python") {
        return;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", CODE);
    let functions = Functions::start_in(folder, &function("python", "")).await;
    let id = functions.returns("python", &json!("anna")).await;
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    let id = id.as_str().unwrap();
    for (begin, end) in [
        ("[INFO] ", "Z - loading"),
        ("[INFO] ", &format!("Z {id} hello anna")),
        ("[WARNING] ", &format!("Z {id} two")),
        ("lines", ""),
    ] {
        let lines = log.lines().filter_map(|line| line.strip_prefix("data: "));
        let count = lines.filter(|line| line.starts_with(begin) && line.ends_with(end)).count();
        assert_eq!(count, 1, "{begin}{end} in {log}");
    }
    assert!(!log.contains("hidden"), "{log}");
    functions.finish().await;
}
