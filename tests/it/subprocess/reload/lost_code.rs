//! What a function does to its own code is its failure alone.

use std::fs;

use super::changing_runner::{ChangingRunner, code, function};
use crate::{subprocess::functions::has, support::soon};

/// A function with a user of its own may own the folder of its code.
#[tokio::test]
async fn a_function_that_removes_its_code_keeps_no_other_settings_from_being_used() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.version("one").await, 1);
    fs::rename(changing.path("one/index.py"), changing.path("one/removed")).unwrap();
    changing.write("three/index.py", &code(3));
    let settings = changing.settings();
    let without_two = settings.replace(&function("two"), "") + &function("three");
    changing.change("functions.toml", &without_two);
    let has_come = async { while changing.invoke("three").await.0 == 435 {} };
    soon("the new function", has_come).await;
    assert_eq!(changing.version("three").await, 3);
    assert_eq!(changing.invoke("two").await.0, 435);
    assert_eq!(changing.version("one").await, 1);
    let line = "the code of one cannot be used; the old code keeps running";
    changing.runner.logged(line).await;
    changing.until_logged("one", "index.py is not there").await;

    // Its own settings are not taken.
    let changed = function("one").replace("20s", "21s");
    changing.change("functions.toml", &without_two.replace(&function("one"), &changed));
    changing.runner.logged("the settings stay as they are after").await;
    changing.change("functions.toml", &without_two);
    changing.change("one/index.py", &code(2));
    changing.until_version("one", 2).await;
    changing.end().await;
}
