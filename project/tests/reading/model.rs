//! Values of documents, and what becomes of them.

use std::{collections::BTreeMap, time::Duration};

use project::Reading;

use super::{has_note, notes, read, written};

/// A project of one function with these lines of inputs.
fn function(inputs: &str) -> Reading {
    let text = format!(
        "component: scf\nname: hello\ninputs:\n  handler: index.main\n  runtime: Python3.6\n{inputs}"
    );
    let folder = written(&[("serverless.yml", text.as_str()), ("index.py", "")]);
    read(folder.path())
}

#[test]
fn limits_are_numbers_or_text_and_are_kept() {
    let check = |inputs: &str, timeout, memory, note: Option<&str>| {
        let reading = function(inputs);
        let function = &reading.project.functions[0];
        assert_eq!(function.timeout, Duration::from_secs(timeout), "{inputs}");
        assert_eq!(function.memory_mb, memory, "{inputs}");
        match note {
            Some(note) => has_note(&reading, note),
            None => assert_eq!(reading.notes.len(), 1, "{:#?}", notes(&reading)),
        }
    };
    check("", 3, 128, None);
    check("  timeout: 20\n  memorySize: 256\n", 20, 256, None);
    check("  timeout: '20'\n  memorySize: '256MB'\n", 20, 256, None);
    check("  timeout: null\n  memorySize:\n", 3, 128, None);
    let cut = "serverless.yml:6: the timeout is 43200 s, and may be 1 to 900 s here: 900 s is used";
    check("  timeout: 43200\n", 900, 128, Some(cut));
    check("  timeout: 0\n", 1, 128, Some("serverless.yml:6: the timeout is 0 s"));
    check("  timeout: soon\n", 3, 128, Some("serverless.yml:6: timeout is \"soon\""));
    check("  timeout: [3]\n", 3, 128, Some("timeout is a list, and should be text"));
    check("  memorySize: 32\n", 3, 64, Some("64 MB is used"));
    check("  memorySize: 99999999999999999999\n", 3, 128, Some("should be a whole number"));
}

#[test]
fn environments_have_three_forms() {
    let environment = |inputs: &str| {
        let reading = function(inputs);
        let function = &reading.project.functions[0];
        let texts = function.environment.iter().map(|(key, value)| format!("{key}={value}"));
        texts.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        environment("  environment:\n    variables: {A: 1, B: true, C: , D: 'x'}\n"),
        "A=1 B=true C= D=x"
    );
    assert_eq!(environment("  environment: null\n"), "");
    assert_eq!(environment("  environment:\n    variables:\n"), "");
    assert_eq!(
        environment("  environments:\n    - {key: A, value: 1}\n    - {key: B, value: x}\n"),
        "A=1 B=x"
    );
    assert_eq!(environment("  environment: {A: 1}\n"), "A=1");
    let long = format!("  environment: {{variables: {{A: {}}}}}\n", "x".repeat(4096));
    has_note(&function(&long), "the environment has 4097 bytes");
}

#[test]
fn the_environment_of_the_process_comes_before_the_file() {
    let text = "component: scf\nname: hello\nstage: ${env:STAGE}\ninputs:\n  name: ${env:NAME}-${stage}\n  \
                handler: index.main\n  runtime: Python3.6\n";
    let folder = written(&[
        ("serverless.yml", text),
        (".env", "NAME=of-file\nSTAGE=of-file\n"),
        ("index.py", ""),
    ]);
    let environment = BTreeMap::from([("NAME".to_owned(), "of-process".to_owned())]);
    let reading = project::read(folder.path(), &environment);
    assert_eq!(reading.project.functions[0].name, "of-process-of-file");
    assert!(reading.sources.contains(&folder.path().join(".env")));
}

const FUNCTION: &str = "  component: scf\n  inputs:\n    runtime: Python3.6\n    codeUri: ./";

/// A project with the functions a, b and c, whose code names these ids, and with these endpoints:
/// each a path and its function.
fn apis(ids: [&str; 3], endpoints: &[(&str, &str)]) -> Vec<String> {
    let mut text = String::new();
    for name in ["a", "b", "c"] {
        text += &format!("{name}:\n{FUNCTION}{name}\n    name: {name}\n");
    }
    text += "gateway:\n  component: apigateway\n  inputs:\n    endpoints:\n";
    for (path, function) in endpoints {
        text += &format!(
            "      - {{path: '{path}', protocol: WEBSOCKET, function: {{transportFunctionName: \
             {function}}}}}\n"
        );
    }
    let code = ids.map(|id| format!("IDS = '{id}'"));
    let folder = written(&[
        ("serverless.yml", &text),
        ("a/index.py", &code[0]),
        ("b/index.py", &code[1]),
        ("c/index.py", &code[2]),
    ]);
    let reading = read(folder.path());
    assert!(!reading.has_errors(), "{:#?}", notes(&reading));
    let show = |api: project::WebSocketApi| {
        format!("{} {} {:?} {:?}", api.id, api.paths.len(), api.cloud_ids, api.push_ids)
    };
    reading.project.apis.into_iter().map(show).collect()
}

#[test]
fn ids_of_the_cloud_lead_to_the_apis_whose_functions_name_them() {
    // One id of one API is its own.
    assert_eq!(
        apis(["api-aaaaaaa1", "api-bbbbbbb2", ""], &[("/a", "a"), ("/b", "b"), ("/c", "c")]),
        ["api-aaaaaaa1 2 [] []", "api-bbbbbbb2 2 [] []", "api-gateway-c 2 [] []"]
    );
    // Two paths with the same functions are one API.
    assert_eq!(
        apis(["api-aaaaaaa1 api-aaaaaaa2", "", ""], &[("/a", "a"), ("/b", "a")]),
        ["api-gateway-a 4 [\"api-aaaaaaa1\", \"api-aaaaaaa2\"] []"]
    );
    // An id that functions of two paths name reaches both.
    assert_eq!(
        apis(["api-aaaaaaa1", "api-aaaaaaa1 api-bbbbbbb2", ""], &[("/a", "a"), ("/b", "b")]),
        ["api-gateway-a 2 [] [\"api-aaaaaaa1\"]", "api-bbbbbbb2 2 [] [\"api-aaaaaaa1\"]"]
    );
}

#[test]
fn functions_in_one_folder_name_the_ids_of_their_own_files() {
    let text = "a: &a\n  component: scf\n  inputs: {runtime: Python3.6, handler: a.main, name: a}\nb:\n  \
                component: scf\n  inputs: {runtime: Python3.6, handler: b.main, name: b}\ngateway:\n  \
                component: apigateway\n  inputs:\n    protocols: WEBSOCKET\n    endpoints:\n      - \
                {path: /a, function: {transportFunctionName: a}}\n      - {path: /b, function: \
                {transportFunctionName: b}}\n";
    let folder = written(&[
        ("serverless.yml", text),
        ("a.py", "'api-aaaaaaa1'"),
        ("b.py", "import common"),
        ("common.py", "'api-bbbbbbb2'"),
    ]);
    let ids: Vec<_> = read(folder.path()).project.apis.into_iter().map(|api| api.id).collect();
    // What b names can be in any file, so the id of a is named by both.
    assert_eq!(ids, ["api-gateway-a", "api-bbbbbbb2"]);
}

#[test]
fn what_libraries_beside_the_code_name_does_not_count() {
    let text = "component: scf\nname: x\ninputs: {handler: index.main, runtime: Python3.6}\n";
    let other = "region = 'ap-beijing'\nbucket = 'tests-1259999999'\n";
    let folder = written(&[
        ("serverless.yml", text),
        ("index.py", "from qcloud_cos import CosConfig\n"),
        ("qcloud_cos/client.py", other),
        ("node_modules/x/index.js", other),
    ]);
    let project = read(folder.path()).project;
    assert_eq!((project.app_id.as_str(), project.buckets.len()), ("1250000000", 0));
    assert!(project.uses_cos);
}

#[test]
fn websites_beside_a_socket_at_the_root_keep_their_pages() {
    let socket = "component: websocket\nname: corner\ninputs:\n  src: ./\n";
    let pages = "component: website\nname: pages\ninputs:\n  src: ./\n";
    let files = [
        ("socket/serverless.yml", socket),
        ("socket/sls.js", ""),
        ("pages/serverless.yml", pages),
        ("pages/index.html", ""),
    ];
    let paths = |files: &[(&str, &str)]| {
        let folder = written(files);
        read(folder.path()).project.apis.remove(0).paths
    };
    assert_eq!(paths(&files[..2]), ["/release", "/"]);
    assert_eq!(paths(&files), ["/release"]);
}

#[test]
fn the_account_comes_from_buckets_or_else_from_the_environment() {
    let account = |files: &[(&str, &str)], variable: Option<&str>| {
        let folder = written(files);
        let own = variable.map(|value| ("TENCENT_APP_ID".to_owned(), value.to_owned()));
        project::read(folder.path(), &own.into_iter().collect()).project.app_id
    };
    let text = "component: cos\nname: x\ninputs: {bucket: room, region: ap-beijing}\n";
    let files = [("serverless.yml", text), (".env", "TENCENT_APP_ID=1251111111\n")];
    assert_eq!(account(&files[..1], None), "1250000000");
    assert_eq!(account(&files, None), "1251111111");
    assert_eq!(account(&files, Some("1252222222")), "1252222222");
    assert_eq!(account(&files, Some("many")), "1250000000");
    let example = text.replace("room", "room-1250000000");
    assert_eq!(account(&[("serverless.yml", &example), files[1]], None), "1251111111");
    let text = text.replace("room", "room-1253333333");
    assert_eq!(account(&[("serverless.yml", &text), files[1]], None), "1253333333");
}

#[test]
fn older_spellings_of_the_component_websocket_are_read() {
    let text = "socket:\n  component: '@serverless/tencent-websocket'\n  inputs:\n    functionName: \
                corner\n    code: ./\n    functionConf: {timeout: 20, environment: {variables: {A: \
                b}}}\n    apigatewayConf: {environment: test, protocols: [https]}\n";
    let folder = written(&[("serverless.yml", text), ("app.js", "")]);
    let reading = read(folder.path());
    assert!(reading.notes.is_empty(), "{:#?}", notes(&reading));
    let function = &reading.project.functions[0];
    assert_eq!((function.name.as_str(), function.entry.as_deref()), ("corner", Some("app.js")));
    assert_eq!(function.timeout, Duration::from_secs(20));
    assert_eq!(function.environment["A"], "b");
    assert_eq!(reading.project.apis[0].paths, ["/test", "/"]);
}

#[test]
fn names_without_a_value_have_the_defaults_of_the_cloud() {
    let text = "component: scf\nname: hello\napp: ''\nstage: ''\ninputs:\n  name:\n  handler: \
                index.main\n  runtime: Python3.6\n";
    let folder = written(&[("serverless.yml", text), ("index.py", "")]);
    assert_eq!(read(folder.path()).project.functions[0].name, "hello-dev-hello");
}

#[test]
fn services_of_two_stages_may_have_one_path() {
    let function = format!("a:\n{FUNCTION}\n    name: a\n");
    let service = |stage: &str| {
        format!(
            "{stage}:\n  component: apigateway\n  inputs:\n    environment: {stage}\n    endpoints:\n      \
             - path: /x\n        protocol: WEBSOCKET\n        serviceTimeout: {}\n        function: a\n",
            stage.len()
        )
    };
    let text = function + &service("release") + &service("test");
    let folder = written(&[("serverless.yml", text.as_str()), ("index.py", "")]);
    let reading = read(folder.path());
    let paths: Vec<_> = reading.project.apis.iter().map(|api| api.paths.join(" ")).collect();
    assert_eq!(paths, ["/release/x /x", "/test/x"]);
    has_note(
        &reading,
        "clients of /x come with /test before it: /x is the path of another service",
    );
}

#[test]
fn files_above_say_what_the_instances_below_have_in_common() {
    let function =
        "component: scf\nname: hello\ninputs:\n  handler: index.main\n  runtime: Python3.6\n";
    let gateway = "component: apigateway\nname: gateway\ninputs:\n  endpoints:\n    - path: /x\n      \
                   protocol: WEBSOCKET\n      function: {transportFunctionName: \
                   '${output:${stage}:${app}:hello.functionName}'}\n";
    let folder = written(&[
        ("serverless.yml", "app: shop\nstage: prod\n"),
        ("a/serverless.yml", function),
        ("a/index.py", ""),
        ("b/serverless.yml", gateway),
    ]);
    let reading = read(folder.path());
    assert!(reading.notes.is_empty(), "{:#?}", notes(&reading));
    assert_eq!(reading.project.apis[0].transmit, "hello-prod-shop");
}

#[test]
fn a_template_beside_another_description_is_ignored() {
    let function =
        "component: scf\nname: x\ninputs: {name: x, handler: index.main, runtime: Python3.6}\n";
    let template = "Resources:\n  x: {Type: 'TencentCloud::Serverless::Function', Properties: {Handler: \
                    index.main, Runtime: Python3.6}}\n";
    let folder =
        written(&[("serverless.yaml", function), ("template.yaml", template), ("index.py", "")]);
    let reading = read(folder.path());
    has_note(&reading, "info template.yaml:1: this is ignored");
    assert!(!reading.has_errors());
}

#[test]
fn functions_without_a_path_are_taken_by_their_names() {
    let project = |names: &[&str]| {
        let text: String =
            names.iter().map(|name| format!("{name}:\n{FUNCTION}\n    name: {name}\n")).collect();
        let folder = written(&[("serverless.yml", text.as_str()), ("index.py", "'api-aaaaaaa1'")]);
        read(folder.path())
    };
    let reading = project(&["ws_register_fun", "ws_transport_fun", "ws_cleanup_fun", "other"]);
    has_note(&reading, "ws_register_fun is taken as register, ws_transport_fun as transmit and");
    let api = &reading.project.apis[0];
    assert_eq!(
        (api.id.as_str(), &api.paths[..]),
        ("api-aaaaaaa1", &["/release".into(), "/".into()][..])
    );
    assert_eq!(api.register.as_deref(), Some("ws_register_fun"));
    assert_eq!(api.cleanup.as_deref(), Some("ws_cleanup_fun"));
    for names in [&["register", "register-2", "transmit"][..], &["transmit"], &["hello"]] {
        let reading = project(names);
        has_note(&reading, "the project has functions and no path for WebSockets");
        assert!(reading.project.apis.is_empty(), "{names:?}");
    }
}

#[test]
fn a_project_of_which_nothing_runs_says_so() {
    let folder = written(&[("serverless.yml", "component: koa\nname: x\n")]);
    has_note(&read(folder.path()), "error nothing of the project runs here");
}
