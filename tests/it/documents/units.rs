//! The units of docs/operations.md, as systemd reads them.

use std::fs;

use super::{blocks::blocks, has, shell};
use crate::support::process::binary;

#[tokio::test]
async fn systemd_finds_nothing_wrong_with_the_units() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let units: Vec<_> = blocks("docs/operations.md")
        .into_iter()
        .filter(|block| block.name.ends_with(".service"))
        .collect();
    assert_eq!(units.len(), 2);
    for unit in &units {
        let name = if unit.name.contains("gateway") { "gateway" } else { "function-runner" };
        let installed = format!("/usr/local/bin/{name} ");
        assert!(unit.text.contains(&installed), "{}", unit.place());
        let built = format!("{} ", binary(name).display());
        let text = unit.text.replace(&installed, &built);
        fs::write(folder.path().join(&unit.name), text).unwrap();
    }
    // What it finds wrong it says, and exits with 0 all the same.
    let verify = "SYSTEMD_UNIT_PATH=$PWD: systemd-analyze verify ./*.service 2>&1";
    assert_eq!(shell::run(verify, folder.path(), "docs/operations.md").await, "");
    let wrong = format!("sed -i s/KillMode/Killmode/ *runner.service; {verify}");
    let said = shell::run(&wrong, folder.path(), "a wrong unit").await;
    assert!(said.contains("Killmode"), "{said}");
}
