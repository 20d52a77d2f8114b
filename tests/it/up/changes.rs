//! A project that is changed while it runs.

use std::fs;

use super::sample::{Sample, can_run};
use crate::support::{client::Client, process::Process, soon};

/// Asks new connections until one gets this answer.
async fn answers(longhold: &Process, expected: &str) {
    soon(expected, async {
        loop {
            let Ok(mut client) = Client::connect(longhold.address("public"), "/release").await
            else {
                continue;
            };
            client.send("hi").await;
            if client.receive_text().await == expected {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_change_of_the_yaml_and_of_the_code_behind_the_shim_take_effect() {
    if !can_run("node") {
        return;
    }
    let mut sample = Sample::of("websocket");
    let longhold = sample.up(&[]).await;
    answers(&longhold, "{\"greeting\":\"hello\",\"data\":\"hi\"}").await;
    sample.change("serverless.yml", "value: hello", "value: good day");
    answers(&longhold, "{\"greeting\":\"good day\",\"data\":\"hi\"}").await;
    sample.change("src/sls.js", "{ greeting, data }", "{ greeting, said: data }");
    answers(&longhold, "{\"greeting\":\"good day\",\"said\":\"hi\"}").await;
    sample.stop(longhold).await;
}

#[tokio::test]
async fn a_broken_yaml_changes_nothing_until_it_is_mended() {
    if !can_run("node") {
        return;
    }
    let mut sample = Sample::of("websocket");
    let longhold = sample.up(&[]).await;
    sample.change("serverless.yml", "runtime: Nodejs10.15", "runtime: Cobol");
    longhold.logged("error: serverless.yml:14: ").await;
    longhold.logged("the project stays as it is").await;
    answers(&longhold, "{\"greeting\":\"hello\",\"data\":\"hi\"}").await;
    sample.change("serverless.yml", "runtime: Cobol", "runtime: Nodejs12.16");
    sample.change("serverless.yml", "value: hello", "value: mended");
    answers(&longhold, "{\"greeting\":\"mended\",\"data\":\"hi\"}").await;
    sample.stop(longhold).await;
}

/// A file of its own for the secrets of the project decides it too, also one that is made later.
#[tokio::test]
async fn a_file_of_variables_that_is_made_later_takes_effect() {
    if !can_run("node") {
        return;
    }
    let mut sample = Sample::of("websocket");
    sample.change("serverless.yml", "value: hello", "value: ${env:GREETING}");
    fs::write(sample.folder().join(".env"), "GREETING=first\n").unwrap();
    sample.renew();
    let longhold = sample.up(&[]).await;
    answers(&longhold, "{\"greeting\":\"first\",\"data\":\"hi\"}").await;
    fs::write(sample.folder().join(".env.dev"), "GREETING=of the stage\n").unwrap();
    sample.renew();
    answers(&longhold, "{\"greeting\":\"of the stage\",\"data\":\"hi\"}").await;
    sample.stop(longhold).await;
}
