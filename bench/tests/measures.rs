//! Runs every measure for a moment against its targets. Checks that each figure exists and is more
//! than 0, and nothing else about it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

const BRIEFLY: [&str; 4] = ["--seconds", "1", "--warm-up", "0.1"];

/// Programs that are not ours.
const PEERS: [&str; 2] = ["nchan", "pushpin"];

/// Locked by each test that loads the machine: two such tests at once could leave a target without
/// processor time for the whole measurement.
static MACHINE: Mutex<()> = Mutex::new(());

/// Runs the tool and returns its JSON, which does not contain peers that are not installed.
fn run(arguments: &[&str]) -> Value {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments)
        .arg("--json")
        .arg(&file)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    for line in stderr.lines().filter(|line| PEERS.iter().any(|peer| line.starts_with(peer))) {
        skipped::because(line);
    }
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Every target has `figures` in every round, and they are more than 0. Except a peer that failed:
/// the tool has reported the failure, and there are no figures.
fn check(report: &Value, rounds: usize, figures: &[&str]) {
    for target in report["targets"].as_array().unwrap() {
        let measured = target["rounds"].as_array().unwrap();
        assert_eq!(measured.len(), rounds, "{target}");
        let is_peer = PEERS.contains(&target["target"].as_str().unwrap());
        for round in measured.iter().filter(|round| !(is_peer && round.is_null())) {
            for name in figures {
                assert!(round[name].as_f64().is_some_and(|it| it > 0.0), "{name} of {target}");
            }
        }
    }
}

fn names(report: &Value) -> Vec<&str> {
    let targets = report["targets"].as_array().unwrap();
    targets.iter().map(|target| target["target"].as_str().unwrap()).collect()
}

fn measure(load: &[&str], targets: &str, figures: &[&str]) -> Value {
    let report = run(&[load, &["--targets", targets], &BRIEFLY].concat());
    check(&report, 1, figures);
    report
}

#[test]
fn echo_is_measured_with_every_target() {
    let load = ["echo", "--connections", "2", "--window", "2", "--idle", "3"];
    let figures = ["messages_per_s", "p50_us", "max_us", "megabytes_per_s"];
    let report = measure(&load, "longhold,floor,bare,nchan,pushpin", &figures);
    assert_eq!(names(&report)[..3], ["longhold", "floor", "bare"]);
}

#[test]
fn targets_are_compared_in_rounds() {
    let load = ["compare", "connect", "--connections", "2", "--rounds", "2"];
    let targets = "longhold,longhold+journal=off,longhold+features=off,floor";
    let report = run(&[&load[..], &["--targets", targets], &BRIEFLY].concat());
    check(&report, 2, &["connections_per_s", "p50_us"]);
    assert_eq!(names(&report), targets.split(',').collect::<Vec<_>>());
    let ratios = &report["targets"][0]["ratios"]["connections_per_s"];
    assert_eq!(ratios["longhold"], 1.0);
    assert!(ratios["floor"].as_f64().unwrap() > 0.0);
}

#[test]
fn latency_is_measured_at_a_rate_and_at_a_load() {
    let figures = ["p50_us", "answered_per_s"];
    let load = ["latency", "--connections", "3", "--rate", "100"];
    measure(&load, "longhold,floor", &figures);
    let load = ["latency", "--connections", "3", "--load", "0.2"];
    measure(&load, "bare", &figures);
}

#[test]
fn fan_out_is_measured() {
    let figures = ["deliveries_per_s", "messages_per_s"];
    measure(&["fan-out", "--connections", "5"], "longhold,floor,bare", &figures);
}

#[test]
fn memory_is_measured() {
    let report = run(&["idle", "--connections", "20", "--spoken", "10", "--targets", "longhold"]);
    check(&report, 1, &["kilobytes_before", "kilobytes_after"]);
}

#[test]
fn functions_in_python_are_measured() {
    let figures = ["p50_us"];
    measure(&["python", "--connections", "1"], "longhold,floor", &figures);
    measure(&["invoke"], "longhold", &figures);
}

#[test]
fn growth_is_measured_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().to_str().unwrap();
    let load = ["growth", "--by", "bytes", "--steps", "20,70000", "--active", "2", "--svg", svg];
    let steps = run(&[&load[..], &["--targets", "longhold"], &BRIEFLY].concat());
    for step in steps.as_array().unwrap() {
        check(step, 1, &["messages_per_s"]);
    }
    for figure in ["messages_per_s", "megabytes_per_s"] {
        let plot = folder.path().join(format!("growth-bytes-{figure}.svg"));
        assert!(fs::read_to_string(plot).unwrap().contains("<svg"));
    }
}

#[test]
fn all_processes_end_with_the_tool() {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["echo", "--connections", "1", "--seconds", "60", "--warm-up", "0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(tool.stderr.take().unwrap()).lines();
    assert!(stderr.any(|line| line.unwrap().ends_with("/s")), "the tool never counted a message");
    let children = children_of(tool.id());
    assert_eq!(children.len(), 2, "gateway and runner");

    let pid = Pid::from_raw(tool.id().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(!tool.wait().unwrap().success());
    for child in children {
        // A killed process needs a moment to end, and may then be a zombie.
        let has_ended = || {
            let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        while !has_ended() {
            std::thread::yield_now();
        }
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = pids.filter_map(|name| name.to_string_lossy().parse().ok());
    pids.filter(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.split(' ').nth(1) == Some(parent.to_string().as_str())
    })
    .collect()
}
