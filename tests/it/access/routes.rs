//! Every route of every listener, asked with every kind of credential. A route that is added and
//! not named here is a failure.

use std::{collections::BTreeMap, fs, path::Path};

use daemon::{
    credentials::{AccessToken, DerivedPair},
    router::ListedPath,
    settings::Secret,
};
use function_runner::{Runner, Settings as RunnerSettings, serve};
use functions::Catalog;
use http::{Method, StatusCode};
use reqwest::{Client, RequestBuilder, Response};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::support::{
    access::{self, OPERATOR, SERVICE},
    backend::Backend,
    process::Process,
    soon,
    world::World,
};

/// A token of `api-test`, and one of another API.
const PUSH: &str = "the-push-token-of-api-test";
const OTHER: &str = "the-push-token-of-api-other";
const WRONG: &str = "a-token-that-nobody-has-given";

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Nothing,
    Wrong,
    OtherApi,
    ThisApi,
    Service,
    Operator,
    /// The key of the pair that functions with a role have. It is for signatures.
    RoleKey,
    /// What a service says of the function for which it pushes, without the token of a service.
    Function,
}

const ALL: [With; 8] = [
    With::Nothing,
    With::Wrong,
    With::OtherApi,
    With::ThisApi,
    With::Service,
    With::Operator,
    With::RoleKey,
    With::Function,
];

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    Anybody,
    /// Whoever may push to `api-test`.
    Pushers,
    /// The same, but the token is in the path.
    TokenInPath,
    /// Whoever is known.
    Known,
    Services,
    Operator,
    /// Whoever may push to all APIs.
    NoApi,
    /// The signature decides.
    Signed,
    /// A process of the instance with the secret of the instance, which our bootstraps have.
    Bootstrap,
    /// Every process of the instance.
    Instance,
}

impl Who {
    fn has(self, with: With) -> bool {
        match self {
            Self::Anybody | Self::Signed => true,
            // A service pushes for a function only; functions.rs has these pushes.
            Self::Pushers => matches!(with, With::ThisApi | With::Operator),
            Self::TokenInPath => with == With::ThisApi,
            Self::Known => {
                !matches!(with, With::Nothing | With::Wrong | With::RoleKey | With::Function)
            }
            Self::Services => matches!(with, With::Service | With::Operator),
            Self::Operator | Self::NoApi => with == With::Operator,
            Self::Bootstrap | Self::Instance => false,
        }
    }
}

/// The methods of a path: those that it lists, or all.
pub(crate) type Row = (&'static str, &'static [Method], Who);

const ANY: &[Method] = &[];
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

const GATEWAY: &[Row] = &[
    ("/healthz", GET, Who::Anybody),
    ("/readyz", GET, Who::Anybody),
    ("/cleanups", GET, Who::Operator),
    ("/cleanups/{id}", ANY, Who::Operator),
    ("/cleanups/{id}/{*rest}", ANY, Who::Operator),
    ("/cleanups/{id}/retry", POST, Who::Operator),
    ("/~", ANY, Who::Known),
    ("/~/{*rest}", ANY, Who::Known),
    ("/~/t/{token}/{*id}", ANY, Who::TokenInPath),
    // No API has this path.
    ("/", ANY, Who::NoApi),
    ("/{*id}", ANY, Who::Pushers),
];

const RUNNER: &[Row] = &[
    ("/", POST, Who::Signed),
    ("/functions", GET, Who::Services),
    ("/functions/{name}/invocations", POST, Who::Services),
    ("/functions//invocations", POST, Who::Services),
    ("/functions/{name}/logs", GET, Who::Operator),
    ("/healthz", GET, Who::Anybody),
    ("/readyz", GET, Who::Anybody),
    ("/~/drain", POST, Who::Services),
    ("/~", ANY, Who::Services),
    ("/~/{*rest}", ANY, Who::Services),
];

const PUBLIC: &[Row] = &[
    ("/~/healthz", GET, Who::Anybody),
    ("/~/readyz", GET, Who::Anybody),
    ("/~", ANY, Who::Anybody),
    ("/~/{*rest}", ANY, Who::Anybody),
];

/// The listener of each instance. `subprocess/routes.rs` asks it.
pub(crate) const RUNTIME_API: &[Row] = &[
    ("/runtime/init/ready", POST, Who::Bootstrap),
    ("/runtime/init/error", POST, Who::Bootstrap),
    ("/runtime/invocation/next", GET, Who::Bootstrap),
    ("/runtime/invocation/response", POST, Who::Bootstrap),
    ("/runtime/invocation/error", POST, Who::Bootstrap),
    ("/runtime/invocation/{id}/response", POST, Who::Bootstrap),
    ("/runtime/invocation/{id}/error", POST, Who::Bootstrap),
    ("/runtime/{*rest}", ANY, Who::Bootstrap),
    ("/~/t/{token}/{*id}", ANY, Who::Instance),
    ("/", ANY, Who::Instance),
    ("/{*id}", ANY, Who::Instance),
];

/// Those that requests are sent with.
pub(crate) const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

#[track_caller]
fn check_table(table: &[Row], paths: &[ListedPath]) {
    let table = table.iter().map(|(path, methods, _)| ListedPath {
        path: (*path).to_owned(),
        methods: methods.to_vec(),
    });
    assert_eq!(table.collect::<Vec<_>>(), paths, "name each route here, and who may use it");
}

#[test]
fn every_route_of_every_listener_is_asked_here() {
    check_table(GATEWAY, gateway::listen::internal_paths());
    check_table(RUNNER, function_runner::paths());
    check_table(PUBLIC, gateway::listen::public_paths());
    check_table(RUNTIME_API, function_runner::runtime_api_paths());
}

/// A listener, and who may use what of it.
struct Listener {
    base: String,
    http: Client,
    table: &'static [Row],
    /// Who learns that a path, or a method of a path, has no route.
    nothing: Who,
}

impl Listener {
    fn request(&self, method: &Method, path: &str, with: With) -> RequestBuilder {
        let role_key = role_key();
        let token = match with {
            With::Nothing | With::Function => None,
            With::RoleKey => Some(&*role_key),
            With::Wrong => Some(WRONG),
            With::OtherApi => Some(OTHER),
            With::ThisApi => Some(PUSH),
            With::Service => Some(SERVICE),
            With::Operator => Some(OPERATOR),
        };
        let is_in_path = path.contains("{token}");
        let path = path
            .replace("{token}", token.unwrap_or("~"))
            .replace("/cleanups/{id}", "/cleanups/6ppaYeGJTTOazqKsxlKxUAAAAA==")
            .replace("{*id}", "api-test")
            .replace("{name}", "echo-transmit")
            .replace("{*rest}", "a/b");
        let request = self.http.request(method.clone(), format!("{}{path}", self.base));
        let mut request = request.body(CLOSING);
        if with == With::Function {
            request = request
                .header("longhold-function", "echo-transmit")
                .header("longhold-push-to", "api-test");
        }
        match token.filter(|_| !is_in_path) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Who may use `method` of a path.
    fn who(&self, methods: &[Method], who: Who, method: &Method) -> Who {
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        if methods.is_empty() || methods.contains(asked) { who } else { self.nothing }
    }
}

/// It follows from the token of the services.
fn role_key() -> String {
    let token = AccessToken::new(Secret::new(SERVICE)).unwrap();
    DerivedPair::of(&token).key.reveal().to_owned()
}

/// A client that reads no certificates, which takes longer than all requests.
fn plain() -> Client {
    Client::builder().tls_certs_only([]).build().unwrap()
}

const CLOSING: &str = r#"{"websocket":{"action":"closing","secConnectionID":"nobody"}}"#;

async fn send(request: RequestBuilder) -> Response {
    soon("an answer", request.send()).await.unwrap()
}

/// A gateway, and a runner with the functions of the repository.
struct Services {
    world: World,
    runner: String,
    _serving: AbortOnDropHandle<()>,
}

impl Services {
    async fn start(auth: &str) -> Self {
        let settings = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            push.auth = "{auth}"
            [[push.tokens]]
            apis = ["api-test"]
            token = "{PUSH}"
            [[push.tokens]]
            apis = ["api-other"]
            token = "{OTHER}"
            [[api]]
            id = "api-test"
            path = "/release/test"
            transmit = "BACKEND/transmit"
            [[api]]
            id = "api-other"
            path = "/release/other"
            transmit = "BACKEND/transmit"
            "#
        );
        let world = World::launch(Backend::start().await, &settings).await;
        let push = BTreeMap::from([("push".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let text = include_str!("../../../functions.toml");
        let (file, catalog) = (Path::new("functions.toml"), Catalog::built_in());
        let settings = RunnerSettings::parse(file, text, &BTreeMap::new(), &push, &catalog);
        let mut settings = settings.unwrap();
        settings.access = access::given();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let runner = format!("http://{}", listener.local_addr().unwrap());
        let serving = serve(Runner::start(settings).unwrap(), listener, CancellationToken::new());
        Self { world, runner, _serving: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }

    fn internal(&self) -> [Listener; 2] {
        let listener =
            |base: String, table, nothing| Listener { base, http: plain(), table, nothing };
        [
            listener(format!("http://{}", self.world.listeners.internal), GATEWAY, Who::Known),
            listener(self.runner.clone(), RUNNER, Who::Services),
        ]
    }
}

#[tokio::test]
async fn each_route_takes_the_credentials_that_it_needs_and_no_others() {
    let services = Services::start("token").await;
    for listener in services.internal() {
        for (path, methods, who) in listener.table {
            for (method, with) in METHODS.iter().flat_map(|it| ALL.map(|with| (it, with))) {
                let who = listener.who(methods, *who, method);
                let answer = send(listener.request(method, path, with)).await;
                let (status, place) = (answer.status(), format!("{method} {path} {with:?}"));
                let challenge = answer.headers().get("www-authenticate").cloned();
                assert_eq!(status == StatusCode::UNAUTHORIZED, !who.has(with), "{place}: {status}");
                assert_eq!(challenge.is_some(), !who.has(with), "{place}");
                assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{place}");
                if matches!(who, Who::Signed) {
                    let said = answer.text().await.unwrap();
                    assert!(said.contains("AuthFailure.SecretIdNotFound"), "{place}: {said}");
                    assert!(said.contains("[invoke]"), "{place}: {said}");
                } else if !who.has(with) {
                    let said = answer.text().await.unwrap();
                    let tokens = [PUSH, OTHER, WRONG, SERVICE, OPERATOR, &role_key()];
                    assert!(!tokens.iter().any(|token| said.contains(token)), "{place}: {said}");
                    // Callers of pushes parse the answer.
                    let is_push = matches!(who, Who::Pushers | Who::TokenInPath | Who::NoApi);
                    assert_eq!(
                        said.contains("\"errNo\":401"),
                        is_push && *method != Method::HEAD,
                        "{said}"
                    );
                }
            }
        }
    }
    // A path with no route at all, which a caller without a token does not learn.
    let [_, runner] = services.internal();
    for with in ALL {
        let answer = send(runner.request(&Method::GET, "/nothing", with)).await;
        let expected = if Who::Services.has(with) { 404 } else { 401 };
        assert_eq!(answer.status(), expected, "{with:?}");
    }
    services.world.finish().await;
}

/// The paths of an object store: those of all buckets, of one, and of an object.
const STORE: [&str; 5] = ["/", "/chat-1250000000", "/chat-1250000000/", "/chat-1250000000/a", "/a"];

/// What opens the listeners of the other services opens nothing here: the pair of the role signs,
/// which the tests of the cloud have.
#[tokio::test]
async fn each_request_to_an_object_store_has_to_be_signed() {
    let folder = tempfile::tempdir().unwrap();
    let [service, _] = access::files();
    let settings = format!(
        "listen.internal = \"127.0.0.1:0\"\nstore.buckets = [\"chat-1250000000\"]\n\
         access.service_file = {service:?}\n"
    );
    fs::write(folder.path().join("cos.toml"), settings).unwrap();
    let store = Process::start("cos", &[], folder.path(), &[]).await;
    let base = format!("http://{}", store.address("internal"));
    let listener = Listener { base, http: plain(), table: &[], nothing: Who::Signed };
    for (path, method) in STORE.iter().flat_map(|path| METHODS.map(|method| (path, method))) {
        for with in ALL {
            let answer = send(listener.request(&method, path, with)).await;
            let (status, place) = (answer.status().as_u16(), format!("{method} {path} {with:?}"));
            // A method that the store does not have is refused as such.
            assert!(matches!(status, 400 | 403 | 405), "{place}: {status}");
            let said = answer.text().await.unwrap();
            let tokens = [PUSH, SERVICE, OPERATOR, &role_key()];
            assert!(!tokens.iter().any(|token| said.contains(token)), "{place}: {said}");
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(listener.request(&Method::GET, path, With::Nothing)).await.status(), 200);
    }
    assert!(store.stopped().await.success());
}

/// The public listener has no tokens, and says no more than whether the gateway is there.
#[tokio::test]
async fn the_public_listener_has_no_route_for_programs() {
    let services = Services::start("token").await;
    let base = format!("http://{}", services.world.listeners.public);
    let public = Listener { base, http: plain(), table: PUBLIC, nothing: Who::Anybody };
    for ((path, methods, _), method) in PUBLIC.iter().flat_map(|it| METHODS.map(|m| (it, m))) {
        let answers = ALL.map(|with| send(public.request(&method, path, with)));
        let expected = match (methods.is_empty(), method.clone()) {
            (true, _) => 404,
            (false, Method::GET | Method::HEAD) => 200,
            (false, _) => 405,
        };
        for answer in answers {
            assert_eq!(answer.await.status(), expected, "{method} {path}");
        }
    }
    services.world.finish().await;
}

/// Over loopback a push needs no token, and nothing else changes: the token of another API, and a
/// wrong one, push nothing.
#[tokio::test]
async fn this_machine_may_push_without_a_token_where_the_settings_say_so() {
    let services = Services::start("loopback").await;
    let [gateway, _] = services.internal();
    for (path, methods, who) in GATEWAY {
        for (method, with) in METHODS.iter().flat_map(|it| ALL.map(|with| (it, with))) {
            let who = gateway.who(methods, *who, method);
            let is_push = matches!(who, Who::Pushers | Who::Known | Who::NoApi);
            let has_no_token = matches!(with, With::Nothing | With::Function);
            let is_let_in = who.has(with) || has_no_token && is_push;
            let status = send(gateway.request(method, path, with)).await.status();
            let place = format!("{method} {path} {with:?}");
            assert_eq!(status == StatusCode::UNAUTHORIZED, !is_let_in, "{place}: {status}");
        }
    }
    services.world.finish().await;
}

/// Whatever the request presents: a browser adds the credentials of its user to what a page sends.
#[tokio::test]
async fn no_route_but_health_answers_a_page() {
    let services = Services::start("loopback").await;
    for listener in services.internal() {
        for (path, methods, who) in listener.table {
            let method = methods.first().unwrap_or(&Method::POST);
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
                ("host", "evil.example"),
            ] {
                let with = if path.contains("{token}") { With::ThisApi } else { With::Operator };
                let request = listener.request(method, path, with).header(name, value);
                let expected = if matches!(who, Who::Anybody) { 200 } else { 403 };
                assert_eq!(send(request).await.status(), expected, "{path} {name}: {value}");
            }
        }
    }
    services.world.finish().await;
}
