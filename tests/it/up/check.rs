//! `longhold up --check` says what would run, and starts nothing.

use super::sample::{Sample, can_run};

#[tokio::test]
async fn a_check_says_where_all_is_served_and_what_is_not() {
    if !can_run("python") {
        return;
    }
    let sample = Sample::of("instances");
    let folder = sample.folder();
    let exit = sample.run(&["up", folder.to_str().unwrap(), "--check"]).await;
    for line in [
        "WebSocket ws://127.0.0.1:0/release/talk calls register talk-register-prod-talk, \
         transmit talk-transmit-prod-talk, cleanup talk-cleanup-prod-talk",
        "WebSocket ws://127.0.0.1:0/talk",
        "push      http://127.0.0.1:0/api-3hb6vt0s",
        "page      http://127.0.0.1:0/ from ",
        "*.apigateway.tencentyun.com/api-3hb6vt0s leads to http://127.0.0.1:0/api-3hb6vt0s",
        "talk-1251234567.cos.ap-beijing.myqcloud.com leads to http://127.0.0.1:0",
        "warning: transmit/serverless.yml:19: the trigger timer",
    ] {
        assert!(exit.stdout.contains(line), "{line} is not in {}", exit.stdout);
    }
    assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
    assert!(!sample.beside("home").exists(), "a check writes nothing");
    sample.check_untouched();
}

#[tokio::test]
async fn a_project_with_parts_that_cannot_run_fails_its_check() {
    let sample = Sample::of("broken");
    let folder = sample.folder();
    let exit = sample.run(&["up", folder.to_str().unwrap(), "--check"]).await;
    assert_eq!(exit.status.code(), Some(1), "{}", exit.stderr);
    assert!(exit.stdout.contains("error: serverless.yml:"), "{}", exit.stdout);
    sample.check_untouched();
}

#[tokio::test]
async fn a_folder_that_is_not_there_or_is_a_file_is_named() {
    let sample = Sample::of("websocket");
    let exit = sample.run(&["up", "nowhere"]).await;
    let words = "could not find nowhere: name the folder with the serverless.yml of the project";
    assert!(exit.stderr.contains(words), "{}", exit.stderr);
    let exit = sample.run(&["up", "project/serverless.yml"]).await;
    assert!(exit.stderr.contains("is a file: name the folder"), "{}", exit.stderr);
    let exit = sample.run(&["up", "project", "--data", "project/data"]).await;
    assert!(exit.stderr.contains("is in the project, which is never written"), "{}", exit.stderr);
    assert_eq!(exit.status.code(), Some(1));
    sample.check_untouched();
}
