//! Samples for Compose fit the file of the repository. What the variables in them say is read by
//! the settings; the stack itself is started by tests/compose.

use std::{env, fs};

use tokio::process::Command;

use super::{
    blocks::{ROOT, all_blocks},
    shell,
};

/// Compose, in whichever form it is there; in CI it has to be.
async fn compose() -> Option<&'static str> {
    for compose in ["docker compose", "docker-compose"] {
        let asked = Command::new("sh").args(["-c", &format!("{compose} version")]).output().await;
        if asked.is_ok_and(|output| output.status.success()) {
            return Some(compose);
        }
    }
    assert!(env::var_os("CI").is_none(), "Compose is missing");
    eprintln!("skipped: Compose is missing (apt-get install docker-compose)");
    None
}

#[tokio::test]
async fn samples_for_compose_fit_the_file_of_the_repository() {
    let Some(compose) = compose().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let samples = all_blocks().into_iter().filter(|block| block.language == "yaml");
    let samples: Vec<_> = samples.collect();
    assert!(samples.len() >= 4, "{}", samples.len());
    for block in samples {
        let file = folder.path().join("docker-compose.override.yml");
        fs::write(&file, &block.text).unwrap();
        let command = format!(
            "cd {ROOT} && {compose} -f docker-compose.yml -f {} config --quiet",
            file.display()
        );
        shell::run(&command, folder.path(), &block.place()).await;
    }
}
