//! What a user meets at the start: names, log filters and addresses that are wrong are named, with
//! what would be right.

mod names;
mod version;

use std::{fs, net::TcpListener, path::Path};

use tempfile::TempDir;

use crate::support::process::run;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAMS: [&str; 3] = ["gateway", "function-runner", "longhold"];

/// A folder with both settings files of the repository, with ports that the system chooses.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["gateway.toml", "functions.toml"] {
        let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let mut text = text.replace("dir = \"web\"", "");
        for (key, port) in [("public", 9000), ("internal", 9001), ("internal", 9002)] {
            let [from, to] = [port, 0].map(|port| format!("\n{key} = \"127.0.0.1:{port}\""));
            text = text.replace(&from, &to);
        }
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// Replaces a piece of a file, as editors do: a new file takes the place of the old one.
fn change(folder: &TempDir, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    let new = folder.path().join(format!("{file}.new"));
    fs::write(&new, text.replace(from, to)).unwrap();
    fs::rename(new, path).unwrap();
}

/// The program refuses its settings with these words.
async fn refused(program: &str, folder: &TempDir, variables: &[(&str, &str)], words: &str) {
    let exit = run(program, &[], folder.path(), variables).await;
    assert_eq!(exit.status.code(), Some(2), "{program}: {}", exit.stderr);
    assert!(exit.stderr.contains(words), "{program}: {}", exit.stderr);
}

#[tokio::test]
async fn an_unknown_word_in_a_log_filter_is_named_with_the_nearest() {
    for program in PROGRAMS {
        let key = match program {
            "function-runner" => "LONGHOLD_FUNCTION_RUNNER__LOG__FILTER",
            _ => "LONGHOLD_GATEWAY__LOG__FILTER",
        };
        let words = [
            (
                "infoo",
                "\"infoo\" is neither a level nor a part of the program that logs; did you mean \
                 \"info\"?",
            ),
            ("info,gateway=debugg", "\"debugg\" is not a level; did you mean \"debug\"?"),
            (
                "info,function_runer=debug",
                "\"function_runer\" is no part of the program that logs; did you mean \
                 \"function_runner\"?",
            ),
        ];
        for (filter, words) in words {
            refused(program, &folder(), &[(key, filter)], &format!("{key}: {words}")).await;
        }
    }
    let folder = folder();
    change(&folder, "gateway.toml", "[listen]", "[log]\nfilter = \"infoo\"\n[listen]");
    refused("longhold", &folder, &[], "gateway.toml: log.filter: \"infoo\" is neither").await;
}

/// Parts of libraries are good words.
#[tokio::test]
async fn a_log_filter_may_name_a_library() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for filter in ["info,hyper=debug", "warn,gateway::push=trace,tower_http=off", "longhold"] {
        // It ends since it cannot listen, and not because of the filter.
        let variables = [
            ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", address.as_str()),
            ("LONGHOLD_GATEWAY__LOG__FILTER", filter),
        ];
        let exit = run("longhold", &[], folder().path(), &variables).await;
        assert_eq!(exit.status.code(), Some(1), "{filter}: {}", exit.stderr);
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_with_the_key_that_sets_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (program, file, section, key) in [
        ("gateway", "gateway.toml", "GATEWAY", "public"),
        ("gateway", "gateway.toml", "GATEWAY", "internal"),
        ("function-runner", "functions.toml", "FUNCTION_RUNNER", "internal"),
        ("longhold", "gateway.toml", "GATEWAY", "public"),
        ("longhold", "gateway.toml", "GATEWAY", "internal"),
        ("longhold", "functions.toml", "FUNCTION_RUNNER", "internal"),
    ] {
        let variable = format!("LONGHOLD_{section}__LISTEN__{}", key.to_uppercase());
        let by_variable = folder();
        let exit = run(program, &[], by_variable.path(), &[(&variable, &address)]).await;
        let words = format!("could not listen on {address}, which is set by {variable}: ");
        assert!(exit.stderr.contains(&words), "{program}: {}", exit.stderr);
        assert_eq!(exit.status.code(), Some(1));

        let by_file = folder();
        change(&by_file, file, &format!("{key} = \"127.0.0.1:0"), &format!("{key} = \"{address}"));
        let exit = run(program, &[], by_file.path(), &[]).await;
        let words =
            format!("could not listen on {address}, which is set by {file}: listen.{key}: ");
        assert!(exit.stderr.contains(&words), "{program}: {}", exit.stderr);
        assert!(exit.stderr.contains("Address already in use"), "{program}: {}", exit.stderr);
    }
}
