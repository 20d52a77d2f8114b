//! `longhold up --exec`: a command runs against the project, and its exit code is that of longhold.

use super::sample::{Sample, can_run};

#[tokio::test]
async fn the_exit_code_of_the_command_is_that_of_longhold() {
    if !can_run("node") {
        return;
    }
    let sample = Sample::of("multi");
    let folder = sample.folder();
    // The addresses are in the environment, and the page answers there.
    let command = "case $LONGHOLD_URL in ws://127.0.0.1:*/release/first) ;; *) exit 3 ;; esac; \
                   curl -s -o /dev/null \"$LONGHOLD_PAGE\" || exit 4; \
                   test -n \"$LONGHOLD_PUSH\" || exit 5; exit 7";
    let exit = sample.run(&["up", folder.to_str().unwrap(), "--exec", command]).await;
    assert_eq!(exit.status.code(), Some(7), "{}", exit.stderr);
    let exit = sample.run(&["up", folder.to_str().unwrap(), "--exec", "kill -9 $$"]).await;
    assert_eq!(exit.status.code(), Some(128 + 9), "{}", exit.stderr);
    let exit = sample.run(&["up", folder.to_str().unwrap(), "--exec", "true"]).await;
    assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
    sample.check_untouched();
}

/// The command has the same project for itself: no other one runs with its data.
#[tokio::test]
async fn two_processes_do_not_share_the_data_of_a_project() {
    if !can_run("node") {
        return;
    }
    let sample = Sample::of("multi");
    let longhold = sample.up(&[]).await;
    let (folder, data) = (sample.folder(), sample.beside("data"));
    let arguments = ["up", folder.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let exit = sample.run(&arguments).await;
    assert_eq!(exit.status.code(), Some(1));
    assert!(exit.stderr.contains("another longhold runs with the data in "), "{}", exit.stderr);
    sample.stop(longhold).await;
}
