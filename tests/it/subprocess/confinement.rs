//! Confinement: what an instance may use, its own /tmp, and its user.

mod limits;
mod secret_files;

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, parse, write},
};
use crate::support::{
    machine::{allows, is_root},
    process::Process,
    soon,
};

/// A Python function that evaluates the expression in its event.
const EVALUATES: &str = "
import os, subprocess, sys, threading, time
def fill(path, mb):
    with open(path, 'wb') as file:
        return sum(file.write(bytes(1 << 20)) for _ in range(mb)) >> 20

def read(path):
    try:
        return open(path).read() if os.path.exists(path) else ''
    except PermissionError:
        return 'closed'

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

/// Shell commands that give the runner the process id 1, in a namespace.
const AS_PROCESS_ONE: &str = "exec unshare --pid --fork --mount-proc --kill-child \"$0\"";

async fn start_as_process_one(folder: &Path) -> Process {
    Process::start_after(AS_PROCESS_ONE, "function-runner", folder).await
}

pub(super) async fn eval_in(runner: &Process, code: &str) -> String {
    let url = format!("http://{}/functions/python/invocations", runner.address("internal"));
    let request =
        crate::support::access::operator().post(url).body(json!({ "eval": code }).to_string());
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
    if !has("python") || !is_root() || !allows_mounts() {
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
        let request = crate::support::access::operator()
            .post(url)
            .body(json!({ "eval": escapes }).to_string());
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
    if !is_root() {
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
