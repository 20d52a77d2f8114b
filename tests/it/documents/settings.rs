//! Samples of settings are read by the code that reads settings. What a sample leaves out is
//! completed with as little as it takes.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use function_runner::Settings as RunnerSettings;
use functions::{BoxFuture, Catalog, Context, Environment, Function, FunctionError};
use gateway::settings::Settings;
use serde_json::Value;
use tempfile::TempDir;

use super::blocks::{Block, ROOT, all_blocks, read};
use crate::support::machine::is_root;

const AN_API: &str = "\n[[api]]\nid = \"api-chat\"\npath = \"/a\"\ntransmit = \"a\"\n";

/// Stands for a function of the reader's own.
struct Any;

impl Function for Any {
    fn call<'a>(
        &'a self,
        _: &'a [u8],
        _: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(async { Ok(Value::Null) })
    }
}

/// The samples of settings, by the file that each is for.
fn samples(file: &str) -> Vec<Block> {
    all_blocks().into_iter().filter(|b| b.language == "toml" && b.name == file).collect()
}

fn parse_gateway(text: &str, variables: &BTreeMap<String, String>) -> Result<(), String> {
    let file = Path::new(ROOT).join("gateway.toml");
    Settings::parse(&file, text, variables).map(drop).map_err(|error| error.to_string())
}

fn parse_functions(
    file: &Path,
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<(), String> {
    let echo =
        |environment: &Environment| Catalog::built_in().get("echo").unwrap().start(environment);
    let catalog = Catalog::built_in().with("mine", echo).with("check-token", |_| Ok(Arc::new(Any)));
    let mut variables = variables.clone();
    variables.insert("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    let push = BTreeMap::from([("push".to_owned(), "http://127.0.0.1:9001".to_owned())]);
    let settings = RunnerSettings::parse(file, text, &variables, &push, &catalog);
    settings.map(drop).map_err(|error| error.to_string())
}

/// A folder with the files that a sample names.
fn folder_for(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let values = |key: &str| {
        let begin = format!("{key} = \"");
        let lines = text.lines().filter_map(move |line| line.strip_prefix(&begin));
        lines.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect::<Vec<_>>()
    };
    for code in values("code") {
        let code = folder.path().join(code);
        fs::create_dir_all(&code).unwrap();
        fs::write(code.join("index.py"), "").unwrap();
        fs::write(code.join("index.js"), "").unwrap();
    }
    for interpreter in values("interpreter") {
        let path = folder.path().join(interpreter);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/bin/true", path).unwrap();
    }
    folder
}

#[test]
fn each_sample_of_gateway_toml_is_good() {
    let samples = samples("gateway.toml");
    assert!(samples.len() >= 4, "{}", samples.len());
    for block in samples {
        let mut text = block.text.clone();
        if !text.contains("[[api]]") {
            text += AN_API;
        }
        // The file of a token is made by the command beside it.
        let text =
            text.replace("token_file = \"secrets/push.token\"", "token = \"0123456789abcdef\"");
        parse_gateway(&text, &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{}: {error}", block.place()));
    }
}

#[test]
fn each_sample_of_functions_toml_is_good() {
    let samples = samples("functions.toml");
    assert!(samples.len() >= 6, "{}", samples.len());
    for block in samples {
        let folder = folder_for(&block.text);
        let sets_user = |line: &&str| line.starts_with("user =");
        // Only root may set it.
        let is_whole = !block.text.lines().any(|line| sets_user(&line)) || is_root();
        let lines = block.text.lines().filter(|line| is_whole || !sets_user(line));
        let text = lines.collect::<Vec<_>>().join("\n");
        parse_functions(&folder.path().join("functions.toml"), &text, &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{}: {error}", block.place()));
    }
}

#[test]
fn each_sample_of_cos_toml_is_good() {
    let samples = samples("cos.toml");
    assert!(!samples.is_empty());
    for block in samples {
        let file = Path::new(ROOT).join("cos.toml");
        cos::Settings::parse(&file, &block.text, &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{}: {error}", block.place()));
    }
}

#[test]
fn each_sample_of_settings_says_which_file_it_is_for() {
    let known = ["gateway.toml", "functions.toml", "cos.toml", "Cargo.toml"];
    for block in all_blocks().into_iter().filter(|block| block.language == "toml") {
        assert!(known.contains(&block.name.as_str()), "{}: {:?}", block.place(), block.name);
    }
}

/// The variables that a block sets, in the ways of a shell and of YAML.
fn variables_in(block: &Block) -> Vec<(String, String)> {
    let lines = block.text.lines().map(|line| line.trim().trim_start_matches("export "));
    let settings = lines.filter(|line| line.starts_with("LONGHOLD_") && line.contains("__"));
    settings
        .map(|line| {
            let (name, value) = line.split_once([':', '=']).unwrap();
            let value = value.split(" #").next().unwrap().trim().trim_matches(['"', '\'']);
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn each_variable_in_a_sample_names_a_setting_of_the_files_of_the_repository() {
    let mut checked = 0;
    for block in all_blocks() {
        for (name, value) in variables_in(&block) {
            let place = block.place();
            let variables = BTreeMap::from([(name.clone(), value)]);
            let read = match name.split("__").next().unwrap() {
                "LONGHOLD_GATEWAY" => parse_gateway(&read("gateway.toml"), &variables),
                "LONGHOLD_FUNCTION_RUNNER" => {
                    let file = Path::new(ROOT).join("functions.toml");
                    parse_functions(&file, &read("functions.toml"), &variables)
                }
                "LONGHOLD_COS" => {
                    // As in docker-compose.yml.
                    let text = "access.service_file = \"/run/longhold/service.token\"";
                    let read = cos::Settings::parse(Path::new("cos.toml"), text, &variables);
                    read.map(drop).map_err(|error| error.to_string())
                }
                _ => panic!("{place}: {name}"),
            };
            read.unwrap_or_else(|error| panic!("{place}: {error}"));
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked}");
}
