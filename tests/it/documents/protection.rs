//! No document, example or file of the repository tells a reader to turn protection off.

use std::{fs, path::Path};

use super::blocks::{ROOT, documents, read};

/// What turns protection off, in settings, commands and code.
const WAYS: [&str; 16] = [
    "insecure",
    "curl -k",
    "curl -sk",
    "--no-check-certificate",
    "verify=False",
    "verify = False",
    "rejectUnauthorized",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "check_hostname",
    "CERT_NONE",
    "origins = [\"*\"]",
    "auth = \"loopback\"",
    "--no-sandbox",
    "privileged: true",
    "unconfined",
    "chmod 777",
];

/// Where such a thing is explained and not advised: the beginning of the line.
const EXPLAINED: [&str; 9] = [
    "docs/access.md:With `push.auth = \"loopback\"`, a push that comes from this machine needs no token.",
    "docs/access.md:Off loopback `push.auth = \"loopback\"` is refused at the start.",
    "docs/cos.md:Without `[[credentials]]` no signature is checked, and the store listens on loopback only",
    "docs/runtimes.md:filter), as in containers. The sandbox of Chromium needs user namespaces: start Chromium",
    "docs/settings.md:| `insecure` | true or false | `false` |",
    "SECURITY.md:| internal of the gateway, 9001 | loopback | functions that push, operators |",
    "SECURITY.md:| open a listener to other machines without tokens by mistake |",
    "SECURITY.md:`push.auth = \"loopback\"`",
    "CHANGELOG.md:",
];

fn files() -> Vec<String> {
    let mut files = documents();
    let beside =
        ["Dockerfile", "gateway.toml", "functions.toml", "cos/cos.toml", "web", "examples"];
    for place in beside {
        collect(&Path::new(ROOT).join(place), &mut files);
    }
    for entry in fs::read_dir(ROOT).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("docker-compose") {
            files.push(name);
        }
    }
    files
}

fn collect(place: &Path, files: &mut Vec<String>) {
    if place.is_dir() {
        let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| !path.ends_with("target")).for_each(|path| collect(&path, files));
    } else if fs::read_to_string(place).is_ok() {
        files.push(place.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned());
    }
}

#[test]
fn no_document_turns_protection_off() {
    let mut found = Vec::new();
    let mut explained = [false; EXPLAINED.len()];
    for file in files() {
        for line in read(&file).lines().filter(|line| WAYS.iter().any(|way| line.contains(way))) {
            let line = format!("{file}:{line}");
            match EXPLAINED.iter().position(|beginning| line.starts_with(beginning)) {
                Some(number) => explained[number] = true,
                None => found.push(line),
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    let gone: Vec<_> = EXPLAINED.iter().zip(explained).filter(|(_, is_there)| !is_there).collect();
    assert!(gone.is_empty(), "explained nowhere: {gone:#?}");
}
