//! Samples for Compose fit the file of the repository. What the variables in them say is read by
//! the settings; the stack itself is started by tests/compose.

use std::{collections::BTreeMap, fs};

use tokio::process::Command;

use super::{
    blocks::{ROOT, all_blocks, read},
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
    skipped::without("Compose is missing (apt-get install docker-compose)");
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

/// Compose builds no image whose name is there already. So a service that is built from another
/// target in another file needs another name for its image.
#[test]
fn each_image_of_the_compose_files_has_a_name_of_its_own() {
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for file in ["docker-compose.yml", "docker-compose.python.yml", "docker-compose.s3.yml"] {
        let mut name = String::new();
        for line in read(file).lines() {
            let key = line.trim_start();
            let indent = line.len() - key.len();
            if indent == 2 && key.ends_with(':') {
                // Without a name for its image, Compose makes one of that of the service.
                name = key.trim_end_matches(':').to_owned();
            } else if let Some(image) = key.strip_prefix("image: ") {
                name = image.to_owned();
            } else if let Some((_, target)) = key.split_once("target: ") {
                let target = target.split([',', ' ', '}']).next().unwrap();
                let other = targets.insert(name.clone(), target.to_owned());
                assert!(other.is_none(), "{file}: {name} is {other:?} already, not {target}");
            }
        }
    }
    assert_eq!(targets.len(), 4, "{targets:?}");
}
