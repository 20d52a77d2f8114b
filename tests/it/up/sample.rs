//! A copy of a project, which must stay as it is.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::signal::Signal;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    subprocess::functions::has,
    support::{
        process::{Exit, Process, run},
        soon,
    },
};

/// The listeners take ports that the system chooses.
const PORTS: [(&str, &str); 4] = [
    ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
    ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
    ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
    ("LONGHOLD_COS__LISTEN__INTERNAL", "127.0.0.1:0"),
];

/// What Python functions of the samples import.
const PYTHON_IMPORTS: &str = "import qcloud_cos, requests";

/// A project of somebody, and a folder for its data.
pub(super) struct Sample {
    around: TempDir,
    sums: BTreeMap<PathBuf, Vec<u8>>,
}

impl Sample {
    /// A copy of the sample `name`, with what its author has installed.
    pub(super) fn of(name: &str) -> Self {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("project/tests/projects");
        let around = tempfile::tempdir().unwrap();
        copy(&samples.join(name), &around.path().join("project"));
        if let Some(libraries) = env::var_os("LONGHOLD_NODE_LIBRARIES")
            && around.path().join("project/src/package.json").exists()
        {
            // Not linked: what is elsewhere in /tmp is hidden from functions.
            let installed = around.path().join("project/src/node_modules");
            copy(&Path::new(&libraries).join("node_modules"), &installed);
        }
        let mut sample = Self { around, sums: BTreeMap::new() };
        sample.renew();
        sample
    }

    /// The folder of the project.
    pub(super) fn folder(&self) -> PathBuf {
        self.around.path().join("project")
    }

    /// A path beside the project.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// The author changes a file.
    pub(super) fn change(&mut self, file: &str, from: &str, to: &str) {
        let path = self.folder().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {file}");
        let new = self.beside("new");
        fs::write(&new, text.replace(from, to)).unwrap();
        fs::rename(new, path).unwrap();
        self.renew();
    }

    /// The author has changed the project.
    pub(super) fn renew(&mut self) {
        self.sums = self.sums();
    }

    /// Starts `longhold up`, and waits until it listens.
    pub(super) async fn up(&self, arguments: &[&str]) -> Process {
        let folder = self.folder();
        let data = self.beside("data");
        let all = [&["up", folder.to_str().unwrap(), "--data", data.to_str().unwrap()], arguments];
        self.longhold(&all.concat()).await
    }

    /// Starts `longhold`, and waits until it listens.
    pub(super) async fn longhold(&self, arguments: &[&str]) -> Process {
        Process::start("longhold", arguments, self.around.path(), &self.variables()).await
    }

    /// Runs `longhold` with arguments with which it ends by itself, beside the project.
    pub(super) async fn run(&self, arguments: &[&str]) -> Exit {
        run("longhold", arguments, self.around.path(), &self.variables()).await
    }

    /// The environment of `longhold`.
    fn variables(&self) -> Vec<(&'static str, &'static str)> {
        let path: &str = Box::leak(path().into_boxed_str());
        let home: &str = Box::leak(self.beside("home").display().to_string().into_boxed_str());
        [&PORTS[..], &[("PATH", path), ("HOME", home)]].concat()
    }

    /// Stops `longhold`. Not a byte of the project has changed, and nothing is beside its files.
    pub(super) async fn stop(&self, longhold: Process) {
        longhold.signal(Signal::SIGTERM);
        assert!(soon("the end", longhold.ended()).await.success());
        self.check_untouched();
    }

    pub(super) fn check_untouched(&self) {
        assert_eq!(self.sums(), self.sums);
    }

    /// The checksum of each file.
    fn sums(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut sums = BTreeMap::new();
        let mut folders = vec![self.folder()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_type().unwrap().is_file() {
                    let digest = Sha256::digest(fs::read(entry.path()).unwrap()).to_vec();
                    sums.insert(entry.path(), digest);
                }
            }
        }
        sums
    }
}

/// Whether the machine has what functions of the samples need in this language.
pub(super) fn can_run(language: &str) -> bool {
    let (program, arguments, what) = match language {
        "python" => ("python3", ["-c", PYTHON_IMPORTS], "LONGHOLD_CLOUD_PYTHON"),
        _ => ("node", ["-e", "0"], "LONGHOLD_NODE_LIBRARIES"),
    };
    if !has(language) {
        return false;
    }
    let tried = Command::new(program).args(arguments).env("PATH", path()).output();
    let has_all = tried.is_ok_and(|tried| tried.status.success()) && env::var_os(what).is_some();
    if !has_all {
        skipped::without(format!("set {what}: projects in {language} need the cloud's library"));
    }
    has_all
}

/// The Python with the cloud's library first.
fn path() -> String {
    let known = env::var("PATH").unwrap_or_default();
    let python = env::var("LONGHOLD_CLOUD_PYTHON").unwrap_or_default();
    match Path::new(&python).parent() {
        Some(folder) if !python.is_empty() => format!("{}:{known}", folder.display()),
        _ => known,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
