//! Every route of the listener of an instance, asked by processes of the instance and by others.
//! The table of the routes is beside those of the other listeners.

use http::Method;
use serde_json::Value;

use super::{
    boundary::{eval, two},
    functions::has,
};
use crate::{
    access::routes::{METHODS, RUNTIME_API, Who},
    support::access,
};

/// The secret of an instance. Only the environment with which its process began still has it.
const SECRET: &str = "next(v.partition('=')[2] for v in open('/proc/self/environ').read()\
                      .split('\\0') if v.startswith('LONGHOLD_SECRET='))";

/// A path of the table, in which everything has a value.
fn path(listed: &str) -> String {
    listed
        .replace("{token}", "a-token-that-nobody-has-given")
        .replace("{*id}", "api-test")
        .replace("{id}", "6ppaYeGJTTOazqKsxlKxUAAAAA==")
        .replace("{*rest}", "a/b")
}

/// The Python that sends these requests to `port`, and returns their statuses, or the name of the
/// exception if the connection was closed.
fn asking(port: &Value, requests: &[(Method, String)], secret: Option<&str>) -> String {
    let headers = secret.map(|secret| format!("'longhold-secret': {secret:?}"));
    let requests: Vec<_> =
        requests.iter().map(|(method, path)| format!("('{method}', '{path}')")).collect();
    format!(
        "[ask_with({port}, method, path, {{{}}}) for method, path in [{}]]",
        headers.unwrap_or_default(),
        requests.join(", ")
    )
}

fn all() -> Vec<(Method, String, Who)> {
    let of_lambda = |listed: &str| format!("/2018-06-01{}", path(listed));
    let paths = RUNTIME_API.iter().flat_map(|(listed, _, who)| match who {
        Who::Bootstrap => vec![(path(listed), *who), (of_lambda(listed), *who)],
        _ => vec![(path(listed), *who)],
    });
    paths.flat_map(|(path, who)| METHODS.map(|method| (method, path.clone(), who))).collect()
}

#[tokio::test]
async fn each_route_of_an_instance_is_for_its_own_processes_alone() {
    if !has("python") {
        return;
    }
    let functions = two("timeout = \"30s\"", "timeout = \"30s\"").await;
    let port = eval(&functions, "python", "int(os.environ['SCF_RUNTIME_API_PORT'])").await;
    let own = eval(&functions, "python", SECRET).await.as_str().unwrap().to_owned();
    let others = eval(&functions, "thief", SECRET).await.as_str().unwrap().to_owned();
    assert_ne!(own, others);
    let all = all();
    let requests = all.iter().map(|(method, path, _)| (method.clone(), path.clone()));
    let requests = requests.collect::<Vec<_>>();

    for secret in [None, Some("a-secret-that-nobody-has-given"), Some(others.as_str())] {
        let answers = eval(&functions, "python", &asking(&port, &requests, secret)).await;
        for ((method, path, who), answer) in all.iter().zip(answers.as_array().unwrap()) {
            let is_refused = [401, 403].map(Value::from).contains(answer);
            let place = format!("{method} {path} {secret:?}: {answer}");
            assert!(answer.is_u64(), "{place}");
            match who {
                Who::Bootstrap => assert_eq!(answer, 403, "{place}"),
                Who::Instance => assert!(!is_refused, "{place}"),
                _ => panic!("{place}: nobody else may use a route of an instance"),
            }
        }
    }
    // The own secret is one. These requests change nothing.
    let known = ["/runtime/a/b", "/2018-06-01/runtime/a"].map(|path| (Method::GET, path.into()));
    let answers = eval(&functions, "python", &asking(&port, &known, Some(&own))).await;
    assert_eq!(answers, serde_json::json!([404, 404]));
    // Nothing is read of a stranger, whatever it presents.
    let stolen = eval(&functions, "thief", &asking(&port, &requests, Some(&own))).await;
    assert!(stolen.as_array().unwrap().iter().all(Value::is_string), "{stolen}");
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    for (method, path) in requests {
        let request = stranger.request(method.clone(), format!("http://127.0.0.1:{port}{path}"));
        let request = request.bearer_auth(access::SERVICE).header("longhold-secret", &own);
        assert!(request.send().await.is_err(), "{method} {path}");
    }
    functions.finish().await;
}
