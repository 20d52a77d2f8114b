//! Files of a function that have the names of modules which the bootstrap imports.

use serde_json::{Value, json};

use super::{
    Functions,
    functions::{folder, function, has, write},
};

/// Replies with the names of all modules that the bootstrap and the interpreter have loaded.
const NAMES: &str = "import sys\n\
    def main_handler(event, context):\n    \
        return sorted({name.partition('.')[0] for name in sys.modules} - {'index', '__main__'})\n";

/// Replies with a word of modules of its own.
const OWN: &str = "
def main_handler(event, context):
    if event == 'fail':
        raise ValueError('no luck')
    import json, linecache, logging, token, traceback
    return [module.word for module in (json, linecache, logging, token, traceback)]
";

async fn check(functions: &Functions, name: &str) {
    for _ in 0..2 {
        assert_eq!(functions.returns(name, &json!("next")).await, json!(vec!["mine"; 5]), "{name}");
        let (status, reply) = functions.invoke(name, &json!("fail")).await;
        assert_eq!(status, 430, "{name}: {reply}");
        let trace = reply["stackTrace"].as_str().unwrap();
        assert!(trace.contains("raise ValueError('no luck')"), "{name}: {trace}");
    }
}

#[tokio::test]
async fn python_functions_may_have_files_with_the_names_of_modules_of_python() {
    if !has("python") {
        return;
    }
    let other = folder();
    write(other.path(), "python/index.py", NAMES);
    let functions = Functions::start_in(other, &function("python", "")).await;
    let loaded = functions.returns("python", &Value::Null).await;
    functions.finish().await;
    let loaded: Vec<String> = serde_json::from_value(loaded).unwrap();
    assert!(["json", "token", "os"].iter().all(|name| loaded.iter().any(|l| l == name)));

    let folder = folder();
    let shadow = |place: &str, name: &str| {
        write(folder.path(), &format!("{place}/{name}.py"), "word = 'mine'\n");
    };
    for name in &loaded {
        shadow("beside", name);
        shadow("vendored/vendor", name);
    }
    for name in ["json", "linecache", "logging", "token", "traceback"] {
        // The interpreter itself needs some of the others.
        let library = if name == "linecache" { "path" } else { "path/library" };
        shadow(library, name);
        shadow("beside", name);
        shadow("vendored/vendor", name);
    }
    let mut settings = String::new();
    for name in ["beside", "vendored", "path"] {
        write(folder.path(), &format!("{name}/index.py"), OWN);
        settings += &format!(
            "[functions.{name}]\nruntime = 'python3'\nhandler = 'index.main_handler'\n\
             code = '{name}'\ntimeout = '30s'\n"
        );
    }
    // The last one is the function whose library is in PYTHONPATH.
    let library = folder.path().join("path/library");
    settings += &format!("environment.PYTHONPATH = {library:?}\n");
    let functions = Functions::start_in(folder, &settings).await;
    for name in ["beside", "vendored", "path"] {
        check(&functions, name).await;
    }
    functions.finish().await;
}

/// What one interpreter has built in, or loads at its start, comes before all files. Such a module
/// may have a function of the handler's name. What all interpreters have is refused at the start.
#[tokio::test]
async fn a_handler_whose_module_has_the_name_of_one_of_the_interpreter_is_437_with_the_reason() {
    if !has("python") {
        return;
    }
    let folder = folder();
    let code = "def main_handler(event, context):\n    return 'mine'\nexists = main_handler\n";
    let mut settings = String::new();
    let cases = [
        ("genericpath.main_handler", "genericpath.py", Some("genericpath")),
        ("genericpath.exists", "genericpath/__init__.py", Some("genericpath")),
        ("_thread.main_handler", "_thread.py", Some("_thread")),
        ("_thread/index.main_handler", "_thread/index.py", Some("_thread")),
        ("mine/time.main_handler", "mine/time.py", None),
        ("json/index.main_handler", "json/index.py", Some("json")),
        ("json.main_handler", "json.py", None),
        ("token/index.main_handler", "token/index.py", Some("token")),
        ("decimal.main_handler", "decimal.py", None),
    ];
    for (number, (handler, file, _)) in cases.iter().enumerate() {
        write(folder.path(), &format!("f{number}/{file}"), code);
        settings += &format!(
            "[functions.f{number}]\nruntime = 'python3'\nhandler = '{handler}'\n\
             code = 'f{number}'\ntimeout = '30s'\n"
        );
    }
    let functions = Functions::start_in(folder, &settings).await;
    for (number, (handler, _, taken)) in cases.iter().enumerate() {
        let (status, reply) = functions.invoke(&format!("f{number}"), &Value::Null).await;
        let Some(name) = taken else {
            assert_eq!((status, reply), (200, json!("mine")), "{handler}");
            continue;
        };
        assert_eq!(status, 437, "{handler}: {reply}");
        let message = reply["errorMessage"].as_str().unwrap();
        let reason = format!("the name {name} is taken by a module of Python (");
        assert!(message.starts_with(&reason), "{message}");
        assert!(message.ends_with("rename yours, and name it so in handler"), "{message}");
    }
    functions.finish().await;
}

/// Modules of Node cannot be shadowed; other modules of the same names can be there.
#[tokio::test]
async fn node_functions_may_have_files_with_the_names_of_modules_of_node() {
    if !has("node") {
        return;
    }
    let folder = folder();
    for name in ["net", "path", "fs", "url", "util", "module", "http"] {
        write(folder.path(), &format!("node/{name}.js"), "exports.word = 'mine';");
        let package = format!("node/node_modules/{name}/index.js");
        write(folder.path(), &package, "exports.word = 'packaged';");
    }
    let code = "const names = ['net', 'path', 'fs', 'url', 'util', 'module', 'http'];\n\
        const words = names.map((name) => require(`./${name}`).word);\n\
        exports.main_handler = async () => [new Set(words).size, words[0]];";
    write(folder.path(), "node/index.js", code);
    let functions = Functions::start_in(folder, &function("node", "")).await;
    assert_eq!(functions.returns("node", &Value::Null).await, json!([1, "mine"]));
    functions.finish().await;
}
