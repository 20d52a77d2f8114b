//! What a function is kept from: the memory, processes, files and users of others.

use std::{fs, path::Path, process::Command};

use nix::{sys::signal::Signal, unistd::Uid};
use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, parse, write},
};
use crate::support::{process::Process, soon};

/// A Python function that evaluates what it gets.
const EVALUATES: &str = "
import os, subprocess, sys, threading, time
def main_handler(event, context):
    return eval(event['eval'], dict(globals(), context=context))
";

fn evaluates() -> tempfile::TempDir {
    let folder = folder();
    write(folder.path(), "python/index.py", EVALUATES);
    folder
}

/// Whether a shell may do this. Where not, the machine forbids what a test is about.
fn allows(shell: &str) -> bool {
    let tried = Command::new("/bin/sh").args(["-c", shell]).output().unwrap();
    if !tried.status.success() {
        eprintln!("skipped: this machine forbids {shell:?}");
    }
    tried.status.success()
}

fn allows_mounts() -> bool {
    allows("unshare -m true || unshare -rm true")
}

/// Version 1 or 2.
fn allows_cgroups() -> bool {
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
async fn each_instance_has_a_tmp_of_its_own() {
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
    assert!(!Path::new("/tmp").join(name).exists());
    // The code lies in the machine's /tmp, and is where it was.
    let code = one.folder.path().join("python");
    assert_eq!(eval(&one, "os.getcwd()").await, code.to_str().unwrap());
    assert_eq!(eval(&one, "os.path.exists('index.py')").await, true);
    let ours = Path::new("/tmp").join(format!("longhold-{}", std::process::id()));
    assert!(ours.exists());
    one.finish().await;
    two.finish().await;
    assert_eq!(fs::read_dir(ours).unwrap().count(), 0, "something was left");
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

/// All that a function starts counts, and what took it all is ended before it has taken more.
#[tokio::test]
async fn memory_and_processes_are_fenced() {
    if !has("python") || !allows_cgroups() {
        return;
    }
    let text = function("python", "max_instances = 1\ntimeout = \"10s\"");
    let functions = Functions::start_in(evaluates(), &text).await;
    // At once, faster than anybody could watch.
    let eats = json!({ "eval": "len(bytearray(os.urandom(1)) * (1 << 30))" });
    let (status, fault) = functions.invoke("python", &eats).await;
    assert_eq!(status, 434, "{fault}");
    assert!(fault["errorMessage"].as_str().unwrap().contains("128 MB of memory"), "{fault}");
    // More threads than there may be, and no harm beyond that.
    let breeds = json!({ "eval":
        "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(2000)]"
    });
    let (status, fault) = functions.invoke("python", &breeds).await;
    assert_eq!(status, 430, "{fault}");
    assert!(fault["stackTrace"].as_str().unwrap().contains("can't start new thread"), "{fault}");
    assert_eq!(eval(&functions, "1 + 1").await, 2);
    functions.finish().await;
}

/// In a session of its own, where no signal of the runner's reaches it.
#[tokio::test]
async fn what_leaves_its_session_ends_too() {
    if !has("python") || !allows_cgroups() {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let folder = evaluates();
        let text = format!("listen.internal = \"127.0.0.1:0\"\n{}", function("python", ""));
        write(folder.path(), "functions.toml", &text);
        let runner = Process::start("function-runner", &[], folder.path(), &[]).await;
        let escapes = "subprocess.Popen(['sleep', '1000'], start_new_session=True).pid";
        let url = format!("http://{}/functions/python/invocations", runner.door("internal"));
        let request = reqwest::Client::new().post(url).body(json!({ "eval": escapes }).to_string());
        let id = soon("an answer", request.send()).await.unwrap().text().await.unwrap();
        let process = Path::new("/proc").join(id.trim());
        assert!(process.exists(), "{id}");
        runner.signal(signal);
        runner.ended().await;
        soon("the end of what escaped", async {
            let lives = || {
                let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
                stat.rsplit(") ")
                    .next()
                    .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
            };
            while lives() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_function_can_run_as_somebody_else() {
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
    // Somebody else has to be able to read it.
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
async fn a_function_is_told_where_it_runs() {
    if !has("python") {
        return;
    }
    let cloud = "cloud = { region = \"ap-guangzhou\", appid = \"1250000000\", uin = \"10000\" }\n";
    let text = format!("{cloud}{}", function("python", ""));
    let functions = Functions::start_in(evaluates(), &text).await;
    let told = "[context[key] for key in ('tencentcloud_region', 'tencentcloud_appid', \
                'tencentcloud_uin')] + [os.environ['TENCENTCLOUD_REGION'], \
                os.environ['TENCENTCLOUD_APPID'], os.environ['TENCENTCLOUD_UIN']]";
    let expected = ["ap-guangzhou", "1250000000", "10000"];
    assert_eq!(eval(&functions, told).await, json!([expected, expected].concat()));
    functions.finish().await;
}

/// The cloud's image has the package under this name too.
#[tokio::test]
async fn qcloud_cos_v5_is_qcloud_cos_or_says_what_to_install() {
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
