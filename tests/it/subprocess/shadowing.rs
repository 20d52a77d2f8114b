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
