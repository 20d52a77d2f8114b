//! Confinement: limits on a function's memory and processes, its own /tmp, and its user.

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use nix::{sys::signal::Signal, unistd::Uid};
use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, parse, write},
};
use crate::support::{process::Process, soon};

/// A Python function that evaluates the expression in its event.
const EVALUATES: &str = "
import os, subprocess, sys, threading, time
def fill(path, mb):
    with open(path, 'wb') as file:
        return sum(file.write(bytes(1 << 20)) for _ in range(mb)) >> 20

def orphan(mb):
    if os.fork() == 0:
        if os.fork() == 0:
            hoard = b'x' * (mb << 20)
            time.sleep(1000)
        os._exit(0)
    os.wait()
    time.sleep(1000)

def main_handler(event, context):
    return eval(event['eval'], dict(globals(), context=context))
";

fn evaluates() -> tempfile::TempDir {
    let folder = folder();
    write(folder.path(), "python/index.py", EVALUATES);
    folder
}

/// Whether shell commands succeed on this machine. If not, a test that depends on them is skipped.
pub(super) fn allows(shell: &str) -> bool {
    let tried = Command::new("/bin/sh").args(["-c", shell]).output().unwrap();
    if !tried.status.success() {
        eprintln!("skipped: this machine forbids {shell:?}");
    }
    tried.status.success()
}

fn allows_mounts() -> bool {
    allows("unshare -m true || unshare -rm true")
}

/// Whether control groups of version 1 or 2 can be made.
pub(super) fn allows_cgroups() -> bool {
    allows(
        "for root in /sys/fs/cgroup /sys/fs/cgroup/memory; do
             if [ -e $root/cgroup.procs ]; then
                 path=$(sed -n 's/^[0-9]*:\\(memory\\)\\{0,1\\}:\\(.*\\)$/\\2/p' /proc/self/cgroup | head -1)
                 [ -d $root$path ] || path=
                 mkdir $root$path/longhold-test && rmdir $root$path/longhold-test && exit
             fi
         done
         exit 1",
    )
}

async fn eval(functions: &Functions, code: &str) -> Value {
    functions.returns("python", &json!({ "eval": code })).await
}

#[tokio::test]
async fn each_instance_has_its_own_tmp() {
    if !has("python") || !allows_mounts() {
        return;
    }
    let one = Functions::start_in(evaluates(), &function("python", "")).await;
    let two = Functions::start_in(evaluates(), &function("python", "")).await;
    let name = format!("longhold-test-{}", std::process::id());
    let write = format!("open('/tmp/{name}', 'w').write('mine')");
    assert_eq!(eval(&one, &write).await, 4);
    let there = format!("os.path.exists('/tmp/{name}')");
    assert_eq!(eval(&one, &there).await, true);
    assert_eq!(eval(&two, &there).await, false);
    assert!(!Path::new("/tmp").join(&name).exists());
    // The code is in the machine's /tmp, and the function sees it at the same path.
    let code = one.folder.path().join("python");
    assert_eq!(eval(&one, "os.getcwd()").await, code.to_str().unwrap());
    assert_eq!(eval(&one, "os.path.exists('index.py')").await, true);
    // The other folders that everybody may write to are private too, and all are empty at first.
    for folder in ["/dev/shm", "/var/tmp"] {
        let write = format!("open('{folder}/{name}', 'w').write('mine')");
        assert_eq!(eval(&one, &write).await, 4);
        let there = format!("os.path.exists('{folder}/{name}')");
        assert_eq!(eval(&two, &there).await, false);
        assert!(!Path::new(folder).join(&name).exists());
        assert_eq!(eval(&two, &format!("os.listdir('{folder}')")).await, json!([]));
    }
    let kept = code.iter().nth(2).unwrap().to_str().unwrap();
    assert_eq!(eval(&two, "len(os.listdir('/tmp'))").await, 1);
    assert_eq!(eval(&one, "sorted(os.listdir('/tmp'))").await, sorted([kept, &name]));
    // Nothing of it is on the machine's disk, so nothing can be left.
    let root = eval(&one, "os.stat('/tmp').st_dev").await;
    assert_ne!(root, json!(fs::metadata("/tmp").unwrap().dev()));
    one.finish().await;
    two.finish().await;
}

fn sorted(mut names: [&str; 2]) -> Value {
    names.sort_unstable();
    json!(names)
}

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
    let http = reqwest::Client::new();
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

/// Shell commands that give the runner the process id 1, in a namespace.
const AS_PROCESS_ONE: &str = "exec unshare --pid --fork --mount-proc --kill-child \"$0\"";

async fn start_as_process_one(folder: &Path) -> Process {
    Process::start_after(AS_PROCESS_ONE, "function-runner", folder).await
}

pub(super) async fn eval_in(runner: &Process, code: &str) -> String {
    let url = format!("http://{}/functions/python/invocations", runner.address("internal"));
    let request = reqwest::Client::new().post(url).body(json!({ "eval": code }).to_string());
    soon("an answer", request.send()).await.unwrap().text().await.unwrap()
}

/// As in a container, where each run has the same process id.
#[tokio::test]
async fn a_killed_runner_starts_instances_again_with_the_same_process_id() {
    if !has("python") || !allows("unshare --pid --fork --mount-proc true") {
        return;
    }
    let folder = evaluates();
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", ""));
    write(folder.path(), "functions.toml", &text);
    let group = "next((line.split(':')[2].strip() for line in open('/proc/self/cgroup') \
                 if 'longhold_' in line), '')";
    let mut groups = Vec::new();
    for _ in 0..3 {
        let runner = start_as_process_one(folder.path()).await;
        assert_eq!(eval_in(&runner, "os.getppid()").await, "1");
        let found = eval_in(&runner, group).await;
        groups.push(found.trim_matches('"').to_owned());
        if allows_cgroups() {
            assert!(groups.last().is_some_and(|group| !group.is_empty()), "no control group");
        }
        runner.signal(Signal::SIGKILL);
        runner.ended().await;
    }
    // The last run's group is left to the next start, the others are gone.
    groups.pop();
    for group in groups.iter().filter_map(|group| Path::new(group).parent()) {
        let group = group.to_str().unwrap().trim_start_matches('/');
        for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"] {
            let left = Path::new(root).join(group);
            assert!(!group.contains("longhold_") || !left.exists(), "{}", left.display());
        }
    }
}

/// What another user has prepared in `/tmp` is neither used nor followed.
#[tokio::test]
async fn a_folder_that_another_user_has_prepared_is_not_used() {
    if !has("python") || !Uid::effective().is_root() || !allows_mounts() {
        return;
    }
    if !allows("unshare --pid --fork --mount-proc true") {
        return;
    }
    let folder = evaluates();
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", ""));
    write(folder.path(), "functions.toml", &text);
    let home = tempfile::tempdir().unwrap();
    // The name that the runner with the process id 1 used before.
    let prepared = Path::new("/tmp/longhold-1");
    let _ = fs::remove_dir_all(prepared);
    fs::create_dir(prepared).unwrap();
    for number in 0..3 {
        let link = prepared.join(format!("python-{number}"));
        std::os::unix::fs::symlink(home.path(), link).unwrap();
    }
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    nix::unistd::chown(prepared, Some(nobody.uid), Some(nobody.gid)).unwrap();
    let runner = start_as_process_one(folder.path()).await;
    assert_eq!(eval_in(&runner, "open('/tmp/mine', 'w').write('mine')").await, "4");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "a link was followed");
    assert_eq!(fs::read_dir(prepared).unwrap().count(), 3);
    runner.signal(Signal::SIGKILL);
    runner.ended().await;
    fs::remove_dir_all(prepared).unwrap();
}

#[tokio::test]
async fn a_function_can_share_the_tmp_of_the_machine() {
    if !has("python") {
        return;
    }
    let text = function("python", "private_tmp = false");
    let functions = Functions::start_in(evaluates(), &text).await;
    let shared = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    let there = format!("os.path.exists({:?})", shared.path());
    assert_eq!(eval(&functions, &there).await, true);
    functions.finish().await;
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

/// A process in a session of its own gets no signal that the runner sends to the group.
#[tokio::test]
async fn a_process_that_leaves_its_session_ends_too() {
    if !has("python") || !allows_cgroups() {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let folder = evaluates();
        // A name that comes after that of the runner's own group.
        let function = function("python", "").replace("functions.python", "functions.zz");
        let text = format!("listen.internal = \"127.0.0.1:0\"\n{function}");
        write(folder.path(), "functions.toml", &text);
        let runner = Process::start("function-runner", &[], folder.path(), &[]).await;
        let escapes = "subprocess.Popen(['sleep', '1000'], start_new_session=True).pid";
        let url = format!("http://{}/functions/zz/invocations", runner.address("internal"));
        let request = reqwest::Client::new().post(url).body(json!({ "eval": escapes }).to_string());
        let id = soon("an answer", request.send()).await.unwrap().text().await.unwrap();
        let process = Path::new("/proc").join(id.trim());
        assert!(process.exists(), "{id}");
        runner.signal(signal);
        runner.ended().await;
        soon("the end of the escaped process", async {
            let is_running = || {
                let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
                stat.rsplit(") ")
                    .next()
                    .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
            };
            while is_running() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_function_can_run_as_another_user() {
    if !has("python") {
        return;
    }
    let text = function("python", "user = \"nobody\"");
    let folder = evaluates();
    if !Uid::effective().is_root() {
        let error = parse(folder.path(), &text).unwrap_err();
        assert!(error.contains("functions.python.user: takes a runner that is root"), "{error}");
        return;
    }
    // The other user must be able to read the code.
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), all).unwrap();
    let functions = Functions::start_in(folder, &text).await;
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let ids = eval(&functions, "[os.getuid(), os.getgid(), len(os.getgroups())]").await;
    assert_eq!(ids, json!([nobody.uid.as_raw(), nobody.gid.as_raw(), 1]));
    assert_eq!(eval(&functions, "open('/tmp/mine', 'w').write('x')").await, 1);
    functions.finish().await;
    let error = parse(evaluates().path(), &function("python", "user = \"no-one-at-all\""));
    assert!(error.unwrap_err().contains("there is no user \"no-one-at-all\""));
}

#[tokio::test]
async fn a_function_gets_the_configured_region_appid_and_uin() {
    if !has("python") {
        return;
    }
    let cloud = "cloud = { region = \"ap-guangzhou\", appid = \"1250000000\", uin = \"10000\" }\n";
    let text = format!("{cloud}{}", function("python", ""));
    let functions = Functions::start_in(evaluates(), &text).await;
    let values = "[context[key] for key in ('tencentcloud_region', 'tencentcloud_appid', \
                'tencentcloud_uin')] + [os.environ['TENCENTCLOUD_REGION'], \
                os.environ['TENCENTCLOUD_APPID'], os.environ['TENCENTCLOUD_UIN']]";
    let expected = ["ap-guangzhou", "1250000000", "10000"];
    assert_eq!(eval(&functions, values).await, json!([expected, expected].concat()));
    functions.finish().await;
}

/// In the cloud's image the package can be imported under both names.
#[tokio::test]
async fn importing_qcloud_cos_v5_gives_qcloud_cos_or_says_what_to_install() {
    if !has("python") {
        return;
    }
    let first = folder();
    write(
        first.path(),
        "python/index.py",
        "def main_handler(event, context):\n  from qcloud_cos_v5 import CosConfig\n  return CosConfig.NAME\n",
    );
    let functions = Functions::start_in(first, &function("python", "")).await;
    let (status, fault) = functions.invoke("python", &json!({})).await;
    assert_eq!(status, 430);
    assert!(fault["stackTrace"].as_str().unwrap().contains("cos-python-sdk-v5"), "{fault}");
    let again = folder();
    let code = fs::read_to_string(functions.folder.path().join("python/index.py")).unwrap();
    write(again.path(), "python/index.py", &code);
    let module = "class CosConfig:\n  NAME = 'the public one'\n";
    write(again.path(), "python/vendor/qcloud_cos/__init__.py", module);
    functions.finish().await;
    let functions = Functions::start_in(again, &function("python", "")).await;
    assert_eq!(functions.returns("python", &json!({})).await, "the public one");
    functions.finish().await;
}
