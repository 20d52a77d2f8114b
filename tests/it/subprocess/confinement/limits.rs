//! The limits of memory, files in memory and processes of an instance.

use super::*;

/// All private folders of an instance have one limit together, and do not count as its memory.
#[tokio::test]
async fn files_in_memory_are_limited_by_tmp_mb() {
    if !has("python") || !allows_mounts() {
        return;
    }
    let text = function("python", "max_instances = 1\nmemory_mb = 64\ntmp_mb = 200");
    let functions = Functions::start_in(evaluates(), &text).await;
    let fill = |path: &str, mb: u32| format!("fill('{path}', {mb})");
    assert_eq!(eval(&functions, &fill("/tmp/one", 150)).await, 150);
    for path in ["/tmp/two", "/dev/shm/two", "/var/tmp/two"] {
        let (status, fault) = functions.invoke("python", &json!({ "eval": fill(path, 60) })).await;
        assert_eq!(status, 430, "{path}: {fault}");
        assert!(fault["stackTrace"].as_str().unwrap().contains("No space left"), "{fault}");
        let remove = format!("os.remove('{path}')");
        assert_eq!(eval(&functions, &remove).await, Value::Null);
    }
    assert_eq!(eval(&functions, "os.path.getsize('/tmp/one') >> 20").await, 150);
    functions.finish().await;
}

/// Shell commands that give the runner no control groups.
const WITHOUT_CGROUPS: &str =
    "exec unshare --mount sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec \"$0\"' \"$0\"";

/// The process group is what such a process has in common with its instance.
#[tokio::test]
async fn memory_of_a_process_that_has_lost_its_parent_counts_without_control_groups() {
    if !has("python") || !allows("unshare --mount mount -t tmpfs none /sys/fs/cgroup") {
        return;
    }
    let folder = evaluates();
    let lines = "timeout = \"15s\"\nprivate_tmp = false";
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", lines));
    write(folder.path(), "functions.toml", &text);
    let runner = Process::start_after(WITHOUT_CGROUPS, "function-runner", folder.path()).await;
    runner.logged("no control group can be made").await;
    let answer = eval_in(&runner, "orphan(200)").await;
    assert!(answer.contains("128 MB of memory"), "{answer}");
    runner.signal(Signal::SIGTERM);
    assert!(runner.ended().await.success());
}

/// Keeps 1 MiB of each event, up to 160 MiB.
const HOARDS: &str = "
hoard = []
def main_handler(event, context):
    if len(hoard) < 160:
        hoard.append(b'x' * (1 << 20))
";

/// Its events, and the pauses between them, are shorter than the time between two looks.
#[tokio::test]
async fn memory_of_a_function_that_is_never_idle_counts_without_control_groups() {
    if !has("python") || !allows("unshare --mount mount -t tmpfs none /sys/fs/cgroup") {
        return;
    }
    let folder = folder();
    write(folder.path(), "python/index.py", HOARDS);
    let lines = "max_instances = 1\nprivate_tmp = false";
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", lines));
    write(folder.path(), "functions.toml", &text);
    let runner = Process::start_after(WITHOUT_CGROUPS, "function-runner", folder.path()).await;
    let url = format!("http://{}/functions/python/invocations", runner.address("internal"));
    let http = crate::support::access::operator();
    let error = soon("the end of the instance", async {
        loop {
            let response = http.post(&url).body("{}").send().await.unwrap();
            if response.status() != 200 {
                return response.text().await.unwrap();
            }
        }
    })
    .await;
    assert!(error.contains("128 MB of memory"), "{error}");
    runner.signal(Signal::SIGTERM);
    assert!(runner.ended().await.success());
}

/// The limits cover all processes that a function starts.
#[tokio::test]
async fn memory_and_processes_are_limited() {
    if !has("python") || !allows_cgroups() {
        return;
    }
    let text = function("python", "max_instances = 1\ntimeout = \"10s\"");
    let functions = Functions::start_in(evaluates(), &text).await;
    // In one step, faster than memory could be watched.
    let eats = json!({ "eval": "len(bytearray(os.urandom(1)) * (1 << 30))" });
    let (status, fault) = functions.invoke("python", &eats).await;
    assert_eq!(status, 434, "{fault}");
    assert!(fault["errorMessage"].as_str().unwrap().contains("128 MB of memory"), "{fault}");
    // More threads than the limit allows. The instance goes on afterwards.
    let breeds = json!({ "eval":
        "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(2000)]"
    });
    let (status, fault) = functions.invoke("python", &breeds).await;
    assert_eq!(status, 430, "{fault}");
    assert!(fault["stackTrace"].as_str().unwrap().contains("can't start new thread"), "{fault}");
    assert_eq!(eval(&functions, "1 + 1").await, 2);
    functions.finish().await;
}
