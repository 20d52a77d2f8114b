//! The task of an instance panics. The instance ends with its process, and its place is free again.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use serde_json::json;
use tokio::task::yield_now;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::{
    Functions,
    functions::{folder, function, has, write},
};
use crate::support::soon;

/// A log that panics when it is to write `boom` for the first time.
#[derive(Clone, Default)]
struct Panics(Arc<AtomicBool>);

impl io::Write for Panics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_boom = bytes.windows(4).any(|piece| piece == b"boom");
        assert!(!is_boom || self.0.swap(true, Ordering::SeqCst), "boom");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Panics {
    /// For the log of this test, until the guard is dropped.
    fn in_log() -> (Self, DefaultGuard) {
        let panics = Self::default();
        let log = tracing_subscriber::fmt().with_writer(panics.clone()).finish();
        (panics, tracing::subscriber::set_default(log))
    }
}

impl MakeWriter<'_> for Panics {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The function prints its event, and the instance's task panics when it logs this line.
#[tokio::test]
async fn an_instance_whose_task_panics_is_replaced_and_its_caller_is_answered() {
    if !has("python") {
        return;
    }
    let (panics, guard) = Panics::in_log();
    let folder = folder();
    let code = "import os\n\
        print('process', os.getpid(), flush=True)\n\
        def main_handler(event, context):\n    \
            print(event, flush=True)\n    \
            return os.getpid()\n";
    write(folder.path(), "python/index.py", code);
    let lines = "min_instances = 1\nmax_instances = 1\ntimeout = '20s'";
    let functions = Functions::start_in(folder, &function("python", lines)).await;
    let (status, old) = functions.invoke("python", &json!("hi")).await;
    assert_eq!(status, 200, "{old}");
    let (status, error) = functions.invoke("python", &json!("boom")).await;
    assert_eq!((status, panics.0.load(Ordering::SeqCst)), (439, true), "{error}");
    // One instance is kept warm, and nobody has to ask for it.
    soon("another process", async {
        loop {
            let log = functions.get("/functions/python/logs?tail=1000").await;
            if log.text().await.unwrap().matches("Init Report").count() == 2 {
                return;
            }
        }
    })
    .await;
    let (status, new) = functions.invoke("python", &json!("boom")).await;
    assert_eq!(status, 200, "{new}");
    assert_ne!(old, new);
    let old = Pid::from_raw(old.as_i64().unwrap().try_into().unwrap());
    assert_eq!(kill(old, None), Err(Errno::ESRCH), "the old process has been reaped");
    functions.finish().await;
    drop(guard);
}

/// The module prints the line at which the instance's task panics, so the process is not ready yet.
#[tokio::test]
async fn an_instance_whose_task_panics_during_its_start_leaves_nothing() {
    if !has("python") {
        return;
    }
    let (panics, guard) = Panics::in_log();
    let folder = folder();
    let code = "import os, subprocess\n\
        if not os.path.exists(os.environ['GROUPS_FILE']):\n    \
            groups = open('/proc/self/cgroup').read()\n    \
            sleep = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n    \
            open(os.environ['GROUPS_FILE'], 'w').write(f'{os.getpid()}\\n{groups}')\n    \
            print('boom', flush=True)\n    \
            sleep.wait()\n\
        def main_handler(event, context):\n    \
            return os.getpid()\n";
    write(folder.path(), "python/index.py", code);
    let file = folder.path().join("groups");
    let lines = format!(
        "max_instances = 1\nprivate_tmp = false\ntimeout = '20s'\nenvironment.GROUPS_FILE = {file:?}"
    );
    let functions = Functions::start_in(folder, &function("python", &lines)).await;
    let (status, error) = functions.invoke("python", &json!("hi")).await;
    assert!(panics.0.load(Ordering::SeqCst), "{error}");
    assert_eq!(status, 443, "{error}");
    let text = fs::read_to_string(file).unwrap();
    let (old, groups) = text.split_once('\n').unwrap();
    let old = Pid::from_raw(old.parse().unwrap());
    let groups = groups.lines().filter(|line| line.contains("longhold_")).map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (kind, path) = (parts.next().unwrap(), parts.next().unwrap());
        let root = Path::new("/sys/fs/cgroup").join(kind);
        root.join(path.trim_start_matches('/'))
    });
    for group in groups {
        soon("the end of the control group", async {
            while group.exists() {
                yield_now().await;
            }
        })
        .await;
    }
    // For a moment after a failed start, its error is the answer.
    soon("another process", async {
        while functions.invoke("python", &json!("hi")).await.0 != 200 {}
    })
    .await;
    assert_eq!(kill(old, None), Err(Errno::ESRCH), "the old process has been reaped");
    functions.finish().await;
    drop(guard);
}
