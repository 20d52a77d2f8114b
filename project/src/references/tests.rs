use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::References;
use crate::{
    documents::testing::document,
    note::Severity,
    yaml::{Node, Value},
};

/// What the value of `inputs.x` of the last file becomes.
fn resolve(files: &[(&str, &str)]) -> Result<Node, (Severity, String)> {
    let documents: Vec<_> = files.iter().map(|(file, text)| document(file, text)).collect();
    let environment = BTreeMap::from([("REAL".to_owned(), "from the process".to_owned())]);
    let references = References::new(&documents, &environment);
    let last = documents.last().unwrap();
    let inputs = last.instances.last().unwrap().inputs.as_ref().unwrap();
    references
        .resolve(inputs.get("x").unwrap())
        .map_err(|unresolved| (unresolved.severity, unresolved.what))
}

fn check(value: &str, expected: &str) {
    let text = format!(
        "component: scf\nname: chat\napp: room\nstage: test\ncustom: {{a: [1, {{b: two}}], c: \
         '${{custom.a[1].b}}'}}\ninputs:\n  memorySize: 256\n  x: {value}\n"
    );
    let other = "component: scf\nname: push\napp: room\nstage: test\n";
    let named =
        "component: scf\nname: other\napp: room\nstage: test\ninputs: {name: 'own-${stage}'}\n";
    let files =
        [("a/serverless.yml", other), ("b/serverless.yml", named), ("serverless.yml", &text)];
    match resolve(&files) {
        Ok(node) => assert_eq!(node.text().unwrap_or_else(|| node.kind()), expected, "{value}"),
        Err((_, what)) => assert_eq!(what, expected, "{value}"),
    }
}

#[test]
fn references_lead_to_what_they_name() {
    check("plain", "plain");
    check("${name}-${stage}-${app}", "chat-test-room");
    check("${inputs.memorySize}", "256");
    check("${custom.a}", "a list");
    check("${custom.a.0}", "1");
    check("${custom.c}!", "two!");
    check("${env:REAL}", "from the process");
    check("${env.REAL}", "from the process");
    check("${output:${stage}:${app}:push.functionName}", "push-test-room");
    check("${output:test:room:other.functionName}", "own-test");
    check("'a ${ without end'", "a ${ without end");
}

#[test]
fn what_leads_nowhere_says_so() {
    check("${env:NONE}", "${env:NONE} leads nowhere: set the variable NONE, or add it to .env");
    check("${stagg}", "${stagg} leads nowhere: the file has no key stagg; perhaps stage is meant");
    check("${custom.a[7]}", "${custom.a[7]} leads nowhere at 7");
    check("${custom.a}!", "${custom.a} is a list, and stands within a text");
    check(
        "${output:test:room:pusch.functionName}",
        "${output:test:room:pusch.functionName} leads nowhere: no instance of the project has the \
         name pusch; perhaps push is meant",
    );
    check(
        "${output:prod:room:push.functionName}",
        "${output:prod:room:push.functionName} leads nowhere: push has another stage or app",
    );
    check(
        "${output:test:room:push.url}",
        "${output:test:room:push.url} is known in the cloud only: url is no input of the instance",
    );
    check(
        "${file(./secrets.json):x}",
        "${file(./secrets.json):x} is not understood; use ${env:…}, ${output:…}, or a key of the \
         file",
    );
}

#[test]
fn a_map_of_components_names_its_instances() {
    let text = "Conf:\n  component: serverless-global\n  inputs: {region: ap-beijing, limits: {m: 64}}\
                \npush:\n  component: '@serverless/tencent-scf'\n  inputs: {name: my-push}\nlast:\n  \
                component: '@serverless/tencent-scf'\n  inputs:\n    x: ";
    for (value, expected) in [
        ("${Conf.region}", "ap-beijing"),
        ("${Conf.limits.m}", "64"),
        ("${push.Name}", "my-push"),
        ("${push.functionName}", "my-push"),
        (
            "${Conf.regoin}",
            "${Conf.regoin} leads nowhere: there is no input regoin; perhaps region is meant",
        ),
    ] {
        let found = resolve(&[("serverless.yml", &format!("{text}{value}\n"))]);
        let found = found.map_or_else(|(_, what)| what, |node| node.text().unwrap().to_owned());
        assert_eq!(found, expected);
    }
}

#[test]
fn a_circle_is_an_error() {
    let text = "component: scf\nname: ${stage}\nstage: ${name}\ninputs: {x: '${stage}'}\n";
    let (severity, what) = resolve(&[("serverless.yml", text)]).unwrap_err();
    assert_eq!(severity, Severity::Error);
    assert_eq!(what, "the references go in a circle: ${stage} to ${name}");
}

#[test]
fn few_lines_cannot_keep_the_reader_busy() {
    let mut text = "component: scf\na0: xxxxxxxx\n".to_owned();
    for level in 1..25 {
        text += &format!("a{level}: '{}'\n", format!("${{a{}}}", level - 1).repeat(9));
    }
    text += "inputs: {x: '${a24}'}\n";
    let (severity, what) = resolve(&[("serverless.yml", &text)]).unwrap_err();
    assert_eq!(severity, Severity::Error, "{what}");
}

#[test]
fn a_text_keeps_the_line_of_the_reference() {
    let text = "component: scf\nstage: test\ninputs:\n\n  x: ${stage}\n";
    let node = resolve(&[("serverless.yml", text)]).unwrap();
    assert!(matches!(node.value, Value::Text(_)));
    assert_eq!((node.spot.line, &node.spot.file), (5, &Arc::from(Path::new("serverless.yml"))));
}
