//! Functions for tests: one for each way to end, and one that waits at a gate.

use std::{
    collections::HashMap,
    future, io,
    sync::{Arc, LazyLock, Mutex},
};

use bytes::Bytes;
use daemon::{
    credentials::{AccessSettings, AccessToken, TokenSource},
    settings::Secret,
};
use functions::{BoxFuture, Catalog, Context, Environment, Function, FunctionError, StartError};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::http::{OPERATOR, SERVICE};
use crate::invocation::{InvocationRequest, ReplyTo};

type Outcome = Result<Value, FunctionError>;

pub(super) fn catalog() -> Catalog {
    Catalog::built_in()
        .with("returns", |_| act(|event, _| Ok(serde_json::from_slice(event).unwrap())))
        .with("context", |_| act(|_, context| Ok(describe(context))))
        .with("refuses", |_| act(|_, _| Err(FunctionError::bad_event("not for me"))))
        .with("raises", |_| act(|_, _| Err(FunctionError::raised(io::Error::other("no luck")))))
        .with("raises-lines", |_| {
            act(|_, _| Err(FunctionError::raised(io::Error::other("no luck\n  in f\n  in main"))))
        })
        .with("panics", |_| act(|_, _| panic!("oh no")))
        .with("panics-early", |_| Ok(Arc::new(PanicsEarly)))
        .with("panics-when-dropped", |_| Ok(Arc::new(PanicsWhenDropped)))
        .with("returns-too-much", |_| act(|_, _| Ok("x".repeat(6 << 20).into())))
        .with("never-ends", |_| Ok(Arc::new(NeverEnds)))
        .with("waits", |environment| Ok(Arc::new(Waits(gate(environment.require("gate")?)))))
}

fn describe(context: &Context) -> Value {
    json!({
        "request_id": context.request_id,
        "function_name": context.function_name,
        "memory_limit_mb": context.memory_limit_mb,
        "time_limit_ms": context.time_limit.as_millis() as u64,
        "traceparent": context.traceparent,
    })
}

struct Acts(fn(&[u8], &Context) -> Outcome);

fn act(what: fn(&[u8], &Context) -> Outcome) -> Result<Arc<dyn Function>, StartError> {
    Ok(Arc::new(Acts(what)))
}

impl Function for Acts {
    fn call<'a>(&'a self, event: &'a [u8], context: &'a Context) -> BoxFuture<'a, Outcome> {
        Box::pin(async { (self.0)(event, context) })
    }
}

struct PanicsEarly;

impl Function for PanicsEarly {
    fn call<'a>(&'a self, _: &'a [u8], _: &'a Context) -> BoxFuture<'a, Outcome> {
        panic!("too soon")
    }
}

struct PanicsWhenDropped;

impl Function for PanicsWhenDropped {
    fn call<'a>(&'a self, _: &'a [u8], _: &'a Context) -> BoxFuture<'a, Outcome> {
        struct PanicsOnDrop;
        impl Drop for PanicsOnDrop {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        Box::pin(async {
            let _guard = PanicsOnDrop;
            future::pending().await
        })
    }
}

struct NeverEnds;

impl Function for NeverEnds {
    fn call<'a>(&'a self, _: &'a [u8], _: &'a Context) -> BoxFuture<'a, Outcome> {
        Box::pin(future::pending())
    }
}

/// Where invocations of a function wait, and are counted.
pub(super) struct Gate {
    entered: Semaphore,
    open: Semaphore,
    passed: Semaphore,
}

impl Gate {
    /// Waits for one more invocation to have come in.
    pub(super) async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    /// Lets one invocation pass.
    pub(super) fn open(&self) {
        self.open.add_permits(1);
    }

    /// Waits for one more invocation to have run to its end.
    pub(super) async fn passed(&self) {
        self.passed.acquire().await.unwrap().forget();
    }
}

/// The gate of this name. It is looked up, because a function starts from text alone.
pub(super) fn gate(name: &str) -> Arc<Gate> {
    static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);
    let closed = || Semaphore::new(0);
    let new = || Arc::new(Gate { entered: closed(), open: closed(), passed: closed() });
    Arc::clone(GATES.lock().unwrap().entry(name.to_owned()).or_insert_with(new))
}

struct Waits(Arc<Gate>);

impl Function for Waits {
    fn call<'a>(&'a self, _: &'a [u8], _: &'a Context) -> BoxFuture<'a, Outcome> {
        Box::pin(async {
            self.0.entered.add_permits(1);
            self.0.open.acquire().await.unwrap().forget();
            self.0.passed.add_permits(1);
            Ok("let go".into())
        })
    }
}

/// An invocation without a request.
pub(super) fn request() -> InvocationRequest {
    InvocationRequest {
        event: Bytes::from_static(b"{}"),
        request_id: "id".to_owned(),
        traceparent: None,
        reply_to: ReplyTo::Caller,
        tail: None,
    }
}

/// Settings of one function named as its handler; `lines` add to it.
pub(super) fn function(handler: &str, lines: &str) -> String {
    format!("[functions.{handler}]\nruntime = \"rust\"\nhandler = \"{handler}\"\n{lines}\n")
}

/// Settings of the function `waits`, at the gate `name`.
pub(super) fn waiting(name: &str, lines: &str) -> String {
    function("waits", &format!("environment.gate = \"{name}\"\n{lines}"))
}

/// The tokens of the tests, which are in no file.
pub(super) fn access() -> AccessSettings {
    let given = |text: &str| TokenSource::Given(AccessToken::new(Secret::new(text)).unwrap());
    AccessSettings {
        service: given(SERVICE),
        operator: given(OPERATOR),
        service_users: Vec::new(),
        is_insecure: false,
    }
}

/// Reads settings against the catalog of the tests.
pub(super) fn settings(text: &str) -> crate::Settings {
    let none = std::collections::BTreeMap::new();
    let file = std::path::Path::new("functions.toml");
    let mut settings = crate::Settings::parse(file, text, &none, &none, &catalog()).unwrap();
    settings.access = access();
    settings.trusts_this_machine = true;
    if !text.contains("drain") {
        // Nobody calls a runner that a test has stopped.
        settings.drain.delay = std::time::Duration::ZERO;
    }
    settings
}

#[test]
fn the_gate_of_a_function_must_be_named() {
    // A typo in a test must not give it a gate of its own.
    let waits = catalog().get("waits").unwrap();
    assert!(waits.start(&Environment::default()).is_err());
}
