//! Links in the folder of the code, and to the settings file: what is behind them changes.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::changing_runner::{ChangingRunner, code};
use crate::subprocess::functions::has;

/// A function that returns what the modules `util` and `package` say.
const LINKED: &str = "import package\nimport util\n\
    def main_handler(event, context):\n    return [util.version + package.version]\n";

/// The code of one function is linked to a file and to a folder that others use too.
#[tokio::test]
async fn changes_behind_links_are_seen() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let version = |number: u32| format!("version = {number}\n");
    changing.write("common/util.py", &version(10));
    changing.write("packages/1/package.py", &version(1));
    changing.write("packages/2/package.py", &version(2));
    changing.link("1", "packages/current");
    // As the running function gets new code with links, and the second one has the same.
    for name in ["one", "two"] {
        changing.link("../common/util.py", &format!("{name}/util.py"));
        changing.link("../packages/current", &format!("{name}/vendor"));
        changing.change(&format!("{name}/index.py"), LINKED);
    }
    let both = async |version| {
        changing.until_version("one", version).await;
        changing.until_version("two", version).await;
    };
    both(11).await;
    // Written in place, replaced, switched, and a file in the folder.
    changing.write("common/util.py", &version(20));
    both(21).await;
    changing.change("common/util.py", &version(30));
    both(31).await;
    changing.link("2", "packages/current");
    both(32).await;
    changing.change("packages/2/package.py", &version(3));
    both(33).await;
    changing.end().await;
}

/// A function that returns the version in the file that Node loads as a module.
const REQUIRES: &str = "const { version } = require('./config.json');\n\
    exports.main_handler = async () => [version];\n";

/// Node loads JSON as a module.
#[tokio::test]
async fn changes_of_linked_settings_are_seen() {
    if !has("node") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let config = |version: u32| format!(r#"{{ "version": {version} }}"#);
    changing.write("common/config.json", &config(2));
    changing.write("one/index.js", REQUIRES);
    changing.link("../common/config.json", "one/config.json");
    changing.change("functions.toml", &changing.settings().replacen("python3", "nodejs", 1));
    changing.until_version("one", 2).await;
    changing.write("common/config.json", &config(3));
    changing.until_version("one", 3).await;
    changing.end().await;
}

/// A function that writes what it has counted into a folder and a file behind links.
const WRITES: &str = "import os\ncount = 0\n\
    def main_handler(event, context):\n    \
        global count\n    \
        count += 1\n    \
        for name in ('data/log.json', 'roster.db'):\n        \
            with open(os.path.join(os.environ['USER_CODE_ROOT'], name), 'a') as file:\n            \
                file.write(f'{count}\\n')\n    \
        return [2, count]\n";

#[tokio::test]
async fn a_function_that_writes_data_behind_links_is_not_loaded_again() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("log.filter = \"info,daemon=debug\"").await;
    // An instance of the old code: without one, the first instance has the new code at once.
    changing.until_version("one", 1).await;
    changing.write("data/roster.db", "");
    // All at once: code that is changed in steps may be loaded more than once.
    changing.write("next/index.py", WRITES);
    changing.link("../data", "next/data");
    changing.link("../data/roster.db", "next/roster.db");
    fs::rename(changing.path("one"), changing.path("last")).unwrap();
    fs::rename(changing.path("next"), changing.path("one")).unwrap();
    changing.until_version("one", 2).await;
    let Value::Array(reply) = changing.invoke("one").await.1 else { panic!("no list") };
    let count = reply[1].as_u64().unwrap();
    for more in 1..=3 {
        assert_eq!(changing.invoke("one").await, (200, json!([2, count + more])));
    }
    // After these changes: files are looked at in one go.
    changing.change("two/index.py", &code(2));
    changing.until_version("two", 2).await;
    assert_eq!(changing.invoke("one").await, (200, json!([2, count + 4])));
    changing.runner.logged("files have changed").await;
    changing.end().await;
}

/// As Kubernetes mounts a volume: each name leads through `..data`, which is switched.
#[tokio::test]
async fn a_switch_of_all_files_at_once_is_seen() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let settings = changing.settings();
    let mount = |number: u32, functions: &str| {
        let release = format!("mount/..{number}");
        changing.write(&format!("{release}/index.py"), &code(number));
        changing.write(&format!("{release}/functions.toml"), functions);
        changing.link(&format!("..{number}"), "mount/..data");
    };
    mount(2, &settings);
    changing.link("..data/index.py", "mount/index.py");
    changing.link("..data/functions.toml", "mount/functions.toml");
    changing.link("../mount/index.py", "one/index.py");
    changing.until_version("one", 2).await;
    changing.link("mount/functions.toml", "functions.toml");
    mount(3, &settings);
    changing.until_version("one", 3).await;
    // The settings file is such a link too.
    mount(4, &(settings + "[functions.three]\nruntime = \"rust\"\nhandler = \"nothing\"\n"));
    changing.until_version("one", 4).await;
    changing.runner.logged("functions.three.handler").await;
    changing.end().await;
}

#[tokio::test]
async fn sighup_loads_what_is_behind_links_if_nothing_is_watched() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("reload.watch = false").await;
    changing.write("common/index.py", &code(2));
    changing.link("../common/index.py", "one/index.py");
    // Links around the code, in a circle, and to nothing are no code.
    for (target, name) in [("/", "one/root"), ("circle", "one/circle"), ("nothing", "one/broken")] {
        changing.link(target, name);
    }
    changing.runner.signal(Signal::SIGHUP);
    changing.until_version("one", 2).await;
    for version in [3, 4] {
        changing.change("common/index.py", &code(version));
        changing.runner.signal(Signal::SIGHUP);
        changing.until_version("one", version.into()).await;
    }
    changing.end().await;
}

/// A function that returns the number in the file of data that it has read when it was loaded.
const READS: &str = "import os\n\
    count = 0\n\
    file = os.path.join(os.environ['USER_CODE_ROOT'], 'texts/version.txt')\n\
    version = int(open(file).read())\n\
    def main_handler(event, context):\n    \
        global count\n    \
        count += 1\n    \
        return [version, count]\n";

/// What is behind links to other files than code: nobody watches it.
#[tokio::test]
async fn sighup_loads_what_has_read_other_data_behind_links() {
    if !has("python") {
        return;
    }
    for watch in [true, false] {
        let changing = ChangingRunner::start(&format!("reload.watch = {watch}")).await;
        // An instance lives from now on. The first one would have new code without a reload.
        for name in ["one", "two"] {
            assert_eq!(changing.version(name).await, 1);
        }
        changing.write("data/version.txt", "2");
        changing.link("../data", "one/texts");
        changing.change("one/index.py", READS);
        changing.runner.signal(Signal::SIGHUP);
        changing.until_version("one", 2).await;
        changing.write("data/version.txt", "3");
        changing.runner.signal(Signal::SIGHUP);
        changing.until_version("one", 3).await;
        // It is the same at another SIGHUP, which is over when the next one has changed something.
        for version in [2, 3] {
            changing.change("two/index.py", &code(version));
            changing.runner.signal(Signal::SIGHUP);
            changing.until_version("two", version.into()).await;
        }
        let Value::Array(reply) = changing.invoke("one").await.1 else { panic!("no list") };
        assert!(reply[0] == 3 && reply[1].as_u64() > Some(1), "{reply:?}");
        changing.end().await;
    }
}
