//! Key pairs: signatures are made by Python, and each wrong one is refused.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{challenge, handshake, identity, message, refused};
use crate::support::{
    access::write_secret,
    backend::Backend,
    client::{Client, request},
    process::Process,
    python,
    world::{PATH, World},
};

type Headers<'a> = Vec<(&'a str, &'a str)>;

const SECRET: &str = "a-secret-of-32-bytes-or-more-0001";
const OTHER: &str = "a-secret-of-32-bytes-or-more-0002";
const AUTH: &str = r#"
    auth = "hmac"
    key_pairs = [
        { id = "AKIDone", secret = "a-secret-of-32-bytes-or-more-0001" },
        { id = "AKIDtwo", secret = "a-secret-of-32-bytes-or-more-0002" },
    ]
"#;

/// Signs as the documentation of the cloud does in its samples.
const SIGN: &str = r#"
import base64, hashlib, hmac, json, sys

def sign(job):
    text = "\n".join(f"{name.lower()}: {value}" for name, value in job["headers"])
    digest = getattr(hashlib, job["hash"])
    mac = hmac.new(job["secret"].encode(), text.encode(), digest).digest()
    names = " ".join(name for name, _ in job["headers"])
    return (f'hmac id="{job["id"]}", algorithm="hmac-{job["hash"]}", headers="{names}", '
            f'signature="{base64.b64encode(mac).decode()}"')

print(json.dumps([sign(job) for job in json.load(sys.stdin)]))
"#;

/// A signature to be made: by which pair and how, over which headers.
fn job(id: &str, secret: &str, hash: &str, headers: &[(&str, &str)]) -> Value {
    json!({ "id": id, "secret": secret, "hash": hash, "headers": headers })
}

async fn signed(jobs: &[Value]) -> Option<Vec<String>> {
    let signed = python::run(python::of_the_machine()?, SIGN, &json!(jobs)).await;
    Some(serde_json::from_value(signed).unwrap())
}

/// A date so many seconds from now.
fn date(seconds: i64) -> String {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if seconds < 0 { now - by } else { now + by })
}

#[tokio::test]
async fn a_client_that_signs_is_let_in_and_register_learns_its_secret_id() {
    let (now, early, late) = (date(0), date(-800), date(800));
    let (date, x_date) = (("date", now.as_str()), ("x-date", now.as_str()));
    let (source, mixed) = (("source", "AndriodApp"), ("Source", "AndriodApp"));
    let cases: Vec<(&str, &str, &str, Headers<'_>)> = vec![
        ("AKIDone", SECRET, "sha1", vec![date, source]),
        ("AKIDone", SECRET, "sha256", vec![source, date]),
        ("AKIDone", SECRET, "sha384", vec![x_date, mixed]),
        ("AKIDtwo", OTHER, "sha512", vec![x_date]),
        ("AKIDtwo", OTHER, "sha256", vec![("date", early.as_str())]),
        ("AKIDtwo", OTHER, "sha256", vec![("x-date", late.as_str())]),
    ];
    let jobs: Vec<_> =
        cases.iter().map(|(id, secret, hash, headers)| job(id, secret, hash, headers)).collect();
    let Some(signatures) = signed(&jobs).await else { return };
    let world = World::with(AUTH, "").await;
    for ((id, _, _, headers), signature) in cases.iter().zip(&signatures) {
        let mut headers = headers.clone();
        headers.push(("authorization", signature));
        assert_eq!(identity(&world, &headers).await, json!({ "secretId": id }), "{headers:?}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_client_without_a_right_signature_is_refused_before_any_function_is_called() {
    const WRONG: &str = "HMAC id or signature cannot be verified";
    const FORM: &str = "is not of the form hmac id=";
    const ONCE: &str = "each of its headers exactly once";
    let (now, old, ahead) = (date(0), date(-1000), date(1000));
    let (date, old, ahead) =
        (("date", now.as_str()), ("date", old.as_str()), ("x-date", ahead.as_str()));
    let jobs = [
        job("AKIDone", SECRET, "sha256", &[date, ("source", "a")]),
        job("AKIDone", OTHER, "sha256", &[date]),
        job("AKIDnobody", SECRET, "sha256", &[date]),
        job("AKIDnobody", "", "sha256", &[date]),
        job("AKIDone", SECRET, "sha256", &[old]),
        job("AKIDone", SECRET, "sha256", &[ahead]),
        job("AKIDone", SECRET, "sha256", &[("source", "a")]),
        job("AKIDone", SECRET, "sha256", &[("date", "yesterday")]),
        job("AKIDone", SECRET, "sha256", &[date, date]),
    ];
    let Some(signatures) = signed(&jobs).await else { return };
    let [good, others, unknown, empty, early, late, undated, yesterday, twice] =
        signatures.iter().map(String::as_str).collect::<Vec<_>>().try_into().unwrap();
    let as_sha1 = good.replace("sha256", "sha1");
    let cut = good.replace("=\"", "=");
    let source = ("source", "a");
    let with = |signature| ("authorization", signature);
    let cases: Vec<(Headers<'_>, &str)> = vec![
        (vec![date], "need header Authorization: hmac id="),
        (vec![date, source, with(good), with(good)], "Authorization came more than once"),
        (vec![date, source, with("Bearer abc")], FORM),
        (vec![date, source, with(&cut)], FORM),
        (vec![date, source, with(&as_sha1)], WRONG),
        (vec![date, ("source", "b"), with(good)], WRONG),
        (vec![date, source, source, with(good)], ONCE),
        (vec![date, with(good)], ONCE),
        (vec![date, with(others)], WRONG),
        (vec![date, with(unknown)], WRONG),
        (vec![date, with(empty)], WRONG),
        (vec![old, with(early)], "at most 900 s off"),
        (vec![ahead, with(late)], "at most 900 s off"),
        (vec![source, with(undated)], "needs date or x-date"),
        (vec![("date", "yesterday"), with(yesterday)], "needs a date such as"),
        (vec![date, with(twice)], FORM),
    ];
    let world = World::with(AUTH, "").await;
    for (headers, words) in &cases {
        let refused = refused(&world, handshake(&world, PATH, headers)).await;
        assert_eq!(refused.status(), 401, "{headers:?}");
        assert_eq!(challenge(&refused), "hmac realm=\"api-test\"");
        assert!(message(&refused).contains(words), "{headers:?}: {}", message(&refused));
    }
    world.finish().await;
}

#[tokio::test]
async fn a_reload_changes_who_is_let_in_and_open_connections_stay() {
    let world = World::start().await;
    let (mut open, _) = world.client().await;
    let settings = |auth: &str| {
        format!(
            "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n[[api]]\n\
             id = \"api-test\"\npath = \"{PATH}\"\nregister = \"BACKEND/register\"\n\
             transmit = \"BACKEND/transmit\"\ncleanup = \"BACKEND/cleanup\"\n{auth}"
        )
    };
    // The third is taken in when the second has been, which is when the first is in use.
    for _ in 0..3 {
        world.change(&settings(AUTH)).await;
    }
    let answer = refused(&world, request(world.listeners.public, PATH)).await;
    assert_eq!(answer.status(), 401);
    open.send("still here").await;
    assert_eq!(world.backend.next("transmit").await.data(), "still here");
    for _ in 0..3 {
        world.change(&settings("")).await;
    }
    let (_client, _) = world.client().await;
    world.finish().await;
}

/// A gateway whose only API takes the key pair with the secret in the file `secret`.
async fn with_secret_file(folder: &Path, backend: &Backend) -> Process {
    let text = format!(
        "listen = {{ public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }}\n\
         log = {{ filter = \"gateway=debug,info\" }}\n\
         [[api]]\nid = \"api-log\"\npath = \"/log\"\ntransmit = \"{}/transmit\"\nauth = \"hmac\"\n\
         key_pairs = [{{ id = \"AKIDlog\", secret_file = \"secret\" }}]\n",
        backend.url
    );
    fs::write(folder.join("gateway.toml"), text).unwrap();
    Process::start("gateway", &[], folder, &[]).await
}

#[tokio::test]
async fn a_secret_that_changes_in_its_file_is_used() {
    let now = date(0);
    let jobs = [SECRET, OTHER].map(|secret| job("AKIDlog", secret, "sha256", &[("date", &now)]));
    let Some(signatures) = signed(&jobs).await else { return };
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    write_secret(&folder.path().join("secret"), SECRET);
    let gateway = with_secret_file(folder.path(), &backend).await;
    let connect = |signature: &str| {
        let mut request = request(gateway.address("public"), "/log");
        request.headers_mut().insert("date", now.parse().unwrap());
        request.headers_mut().insert("authorization", signature.parse().unwrap());
        Client::connect_with(request)
    };
    assert!(connect(&signatures[0]).await.is_ok());
    assert!(connect(&signatures[1]).await.is_err());
    write_secret(&folder.path().join("new"), OTHER);
    fs::rename(folder.path().join("new"), folder.path().join("secret")).unwrap();
    gateway.logged("settings reloaded").await;
    assert!(connect(&signatures[1]).await.is_ok());
    assert!(connect(&signatures[0]).await.is_err());
    // A file that cannot be used leaves the secret of before.
    write_secret(&folder.path().join("new"), "short");
    fs::rename(folder.path().join("new"), folder.path().join("secret")).unwrap();
    gateway.logged("the settings stay as they are after").await;
    gateway.logged("secret_file: is shorter than 16 bytes").await;
    assert!(connect(&signatures[1]).await.is_ok());
    // So does one that all may read.
    write_secret(&folder.path().join("secret"), SECRET);
    fs::set_permissions(folder.path().join("secret"), Permissions::from_mode(0o644)).unwrap();
    gateway.signal(Signal::SIGHUP);
    gateway.logged("has the permissions 644, so that other users of this machine can read").await;
    assert!(connect(&signatures[1]).await.is_ok());
    backend.stop();
}

#[tokio::test]
async fn the_log_names_the_api_and_the_reason_once_and_nothing_that_came() {
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    write_secret(&folder.path().join("secret"), &format!("{SECRET}\n"));
    let gateway = with_secret_file(folder.path(), &backend).await;
    let mut answered = Vec::new();
    for _ in 0..3 {
        let mut request = request(gateway.address("public"), "/log");
        request.headers_mut().insert("authorization", "hmac id=\"hunter2\"".parse().unwrap());
        answered.push(Client::connect_with(request).await.err().unwrap().status().as_u16());
    }
    assert_eq!(answered, [401, 401, 401]);
    gateway.logged("a client of api-log did not prove who it is").await;
    let log = gateway.log();
    assert_eq!(log.matches("did not prove who it is").count(), 1, "{log}");
    assert!(log.contains("reason=header Authorization is not of the form"), "{log}");
    assert!(log.contains("client.address=127.0.0.1 "), "{log}");
    assert!(!log.contains("hunter2") && !log.contains(SECRET), "{log}");
    backend.stop();
}
