//! The runner with functions of its own: the program of docs/functions.md is the example, and does
//! what the document says.

use std::{fs, net::Ipv4Addr, path::Path};

use nix::sys::signal::Signal;

use super::blocks::{Block, ROOT, blocks, named, read};
use crate::support::{client::Client, process::Process};

const DOCUMENT: &str = "docs/functions.md";

/// The settings beside the program, by a piece of theirs.
fn settings(file: &str, piece: &str) -> Block {
    let mut blocks = blocks(DOCUMENT).into_iter().filter(|block| block.name == file);
    blocks.find(|block| block.text.contains(piece)).unwrap()
}

#[test]
fn the_program_in_the_document_is_the_example() {
    assert_eq!(named(DOCUMENT, "rust", "main.rs").text, read("examples/own-runner/main.rs"));
}

/// The trait is quoted without its comments.
#[test]
fn the_trait_in_the_document_is_that_of_the_crate() {
    let source = read("functions/src/function.rs");
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let mut blocks = blocks(DOCUMENT).into_iter().filter(|block| block.language == "rust");
    let block = blocks.find(|block| block.name.is_empty()).unwrap();
    for line in block.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(lines.contains(&line), "{}: {line}", block.place());
    }
}

#[test]
fn the_manifest_in_the_document_names_what_the_program_uses() {
    let manifest = named(DOCUMENT, "toml", "Cargo.toml").text;
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    let program = read("examples/own-runner/main.rs");
    let ours = read("Cargo.toml");
    for line in dependencies.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        let used = name.replace('-', "_");
        assert!(program.contains(&format!("{used}::")), "{name} is not used");
        if let Some((_, path)) = value.split_once("path = \"../longhold/") {
            let folder = path.split('"').next().unwrap();
            assert!(Path::new(ROOT).join(folder).join("Cargo.toml").exists(), "{line}");
        } else {
            let version = value.split('"').nth(1).unwrap();
            let known = ours.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
            assert!(known.contains(&format!("\"{version}")), "{line}, but we use {known}");
        }
    }
    for line in program.lines().filter_map(|line| line.strip_prefix("use ")) {
        let used = line.split("::").next().unwrap();
        let names = dependencies.replace('-', "_");
        let is_named = used == "std" || names.contains(&format!("{used} = "));
        assert!(is_named, "{used} is not among the dependencies");
    }
}

#[tokio::test]
async fn the_program_lets_in_who_has_the_token_and_ends_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    // Gateway and runner have to know each other's address: they share one that nobody else has.
    let ip = Ipv4Addr::from(0x7f00_0000 | fastrand::u32(0x0001_0000..0x00ff_ffff)).to_string();
    let here = |block: Block| block.text.replace("127.0.0.1", &ip);
    let functions = settings("functions.toml", "[functions.token-register]");
    let gateway = settings("gateway.toml", "register = \"token-register\"");
    fs::write(folder.path().join("functions.toml"), here(functions)).unwrap();
    fs::write(folder.path().join("gateway.toml"), here(gateway)).unwrap();
    let (runner_address, internal) = (format!("{ip}:9002"), format!("{ip}:9001"));
    let variables = [("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", runner_address.as_str())];
    let runner = Process::start("examples/own-runner", &[], folder.path(), &variables).await;
    let url = format!("http://{runner_address}");
    let variables = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", internal.as_str()),
        ("LONGHOLD_GATEWAY__RUNNER__URL", url.as_str()),
    ];
    let gateway = Process::start("gateway", &[], folder.path(), &variables).await;
    let public = gateway.address("public");
    let refused = Client::connect(public, "/release/echo").await.err().unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(String::from_utf8_lossy(refused.body()), r#"{"message":"wrong token"}"#);
    let mut client = Client::connect(public, "/release/echo?token=let-me-in").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    gateway.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(gateway.ended().await.code(), Some(0));
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended().await.code(), Some(0));
}
