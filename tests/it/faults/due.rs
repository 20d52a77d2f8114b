//! When a cleanup is due: after the end of the last call, however the call broke off. Nothing waits
//! with it: no descriptor, no permit, no shutdown.

use std::{fs, time::Instant};

use futures_util::future::join_all;

use super::{
    crowd::connect,
    runs::{GatewayRuns, PATH},
};
use crate::support::{
    backend::{Backend, Reply},
    between::{Between, Way},
    client::Client,
    process::Process,
    soon,
    world::World,
};

/// A world whose functions are called through `between`. `api` has more lines for its table.
async fn world(between: &Between, backend: Backend, api: &str) -> World {
    let url = &between.url;
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        runner = {{ url = "{url}" }}
        [[api]]
        id = "api-test"
        path = "{PATH}"
        register = "BACKEND/register"
        transmit = "{url}/transmit"
        cleanup = "BACKEND/cleanup"
        {api}
        "#
    );
    World::launch(backend, &settings).await
}

/// Two clients whose messages are in flight at once: one call is alone, the other is in a batch if
/// the server has offered that.
async fn speak(world: &World) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..2 {
        let (mut client, _) = world.client().await;
        client.send("first").await;
        world.backend.next("transmit").await;
        clients.push(client);
    }
    clients
}

/// A proxy breaks the calls off, and their functions run on for some time. The oracle checks that
/// no cleanup comes before their end.
#[tokio::test]
async fn a_call_that_a_proxy_breaks_off_ends_before_its_cleanup() {
    for offers in [false, true] {
        for way in [Way::Break, Way::GatewayTimeout] {
            let backend = Backend::start().await;
            let between = Between::start(&backend, offers).await;
            let world = world(&between, backend, "function_timeout = '2s'").await;
            let mut clients = speak(&world).await;
            world.backend.on("transmit", |_| async {
                tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
                Reply::ok()
            });
            between.set(way);
            for client in &mut clients {
                client.send("second").await;
            }
            for client in &mut clients {
                assert_eq!(client.closed().await, 1011, "{way:?}");
            }
            for _ in 0..clients.len() {
                let cleanup = world.backend.next("cleanup").await;
                assert_eq!(cleanup.websocket("closeReason"), "fault", "{way:?}");
            }
            world.finish().await;
        }
    }
}

/// Nothing but the answer says that the call has ended: its function might run for 15 minutes.
#[tokio::test]
async fn an_answer_that_comes_late_makes_the_cleanup_due_at_once() {
    let backend = Backend::start().await;
    let between = Between::start(&backend, true).await;
    let world = world(&between, backend, "timeout = '2s'").await;
    let mut clients = speak(&world).await;
    let gate = world.backend.hold("transmit");
    for client in &mut clients {
        client.send("second").await;
        world.backend.next("transmit").await;
    }
    between.got_batch().await;
    for client in &mut clients {
        assert_eq!(client.closed().await, 1011);
    }
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    gate.notify_one();
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "fault");
    // The call that was alone has lost its socket, and its cleanup is left to the next start.
    world.stopped().await.unwrap();
}

/// The runner says within which time its functions end, whatever the settings of the API say.
#[tokio::test]
async fn the_runner_says_when_the_cleanup_is_due() {
    let backend = Backend::start().await;
    let between = Between::start(&backend, false).await;
    between.list(900_000, 500);
    let url = &between.url;
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        runner = {{ url = "{url}" }}
        [[api]]
        id = "api-test"
        path = "{PATH}"
        timeout = "100ms"
        register = "register"
        transmit = "transmit"
        cleanup = "BACKEND/cleanup"
        "#
    );
    let world = World::launch(backend, &settings).await;
    world.backend.on("register", |_| async {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        Reply::ok()
    });
    let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
    assert_eq!(refused.status(), 504);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "unregistered");
    world.finish().await;
}

/// The drain could last ten minutes.
#[tokio::test]
async fn a_register_that_timed_out_does_not_hold_a_shutdown() {
    let world = World::with("timeout = '50ms'", "[drain]\ntimeout = '10m'").await;
    let _gate = world.backend.hold("register");
    let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
    assert_eq!(refused.status(), 504);
    let backend = world.backend.clone();
    world.stopped().await.unwrap();
    assert!(!backend.was_called("cleanup").await);
}

/// Without a journal there is no next start. The drain waits for what is not due.
#[tokio::test]
async fn without_a_journal_a_drain_waits_for_what_is_not_due() {
    let tables = "[journal]\nsync = 'off'\n[drain]\ntimeout = '10m'";
    let world = World::with("timeout = '50ms'\nfunction_timeout = '1s'", tables).await;
    let gate = world.backend.hold("register");
    let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
    assert_eq!(refused.status(), 504);
    gate.notify_one();
    world.finish().await;
}

/// There are more of them than `cleanup.queue` and `cleanup.concurrency` allow, in the run that has
/// made them and in the next one.
#[tokio::test]
async fn cleanups_that_are_not_due_delay_no_others() {
    const NOT_DUE: usize = 30;
    let tables = "cleanup = { queue = 5, concurrency = 5 }";
    let runs = GatewayRuns::with(tables, "timeout = '1s'").await;
    let gate = runs.backend.hold("register");
    let mut gateway = runs.start().await;
    assert_eq!(connect(gateway.address("public"), PATH, NOT_DUE).await.len(), 0);
    for _ in 0..NOT_DUE {
        runs.backend.next("register").await;
        gate.notify_one();
    }
    runs.backend.always("register", Reply::ok());
    for run in 0..2 {
        let client = Client::connect(gateway.address("public"), PATH).await.unwrap();
        let id = runs.backend.next("register").await.id().to_owned();
        client.close(1000.into()).await;
        assert_eq!(runs.backend.next("cleanup").await.id(), id);
        if run == 0 {
            GatewayRuns::end(gateway).await;
            gateway = runs.start().await;
        }
    }
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    let list = crate::support::access::get(url).await.unwrap().text().await.unwrap();
    assert!(list.contains(&format!(r#""owed":{NOT_DUE},"backlog":{NOT_DUE}"#)), "{list}");
    GatewayRuns::end(gateway).await;
}

/// How many descriptors the gateway has open.
pub(super) fn descriptors(gateway: &Process) -> usize {
    fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap().count()
}

/// The functions of one API never answer. The gateway may have 300 open files, and more calls than
/// that time out. Clients of another API notice nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_never_answers_takes_no_descriptors() {
    check_descriptors(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_never_answers_batches_takes_few_descriptors() {
    check_descriptors(true).await;
}

async fn check_descriptors(offers: bool) {
    const CLIENTS: usize = 90;
    const WAVES: usize = 4;
    let backend = Backend::start().await;
    let between = Between::start(&backend, offers).await;
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            log = {{ filter = "off" }}
            [[api]]
            id = "api-hung"
            path = "/release/hung"
            register = "{hung}/register"
            transmit = "{hung}/transmit"
            cleanup = "{good}/cleanup"
            timeout = "1s"
            [[api]]
            id = "api-test"
            path = "{PATH}"
            register = "{good}/register"
            transmit = "{good}/transmit"
            cleanup = "{good}/cleanup"
            "#,
        hung = between.url,
        good = backend.url,
    );
    fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let gateway = Process::start_after("ulimit -n 300", "gateway", folder.path()).await;
    let public = gateway.address("public");
    // Teaches the gateway the offer.
    let first = Client::connect(public, "/release/hung").await.unwrap();
    let mut good = Client::connect(public, PATH).await.unwrap();
    for _ in 0..2 {
        backend.next("register").await;
    }
    first.close(1000.into()).await;
    backend.next("cleanup").await;
    let calm = descriptors(&gateway);
    between.set(Way::Hang);
    for wave in 0..WAVES {
        let hung = join_all((0..CLIENTS).map(|_| Client::connect(public, "/release/hung")));
        assert!(hung.await.into_iter().all(|it| it.is_err_and(|it| it.status() == 504)));
        good.send(wave.to_string()).await;
        assert_eq!(backend.next("transmit").await.data(), wave.to_string());
    }
    // The clients have left. Their calls go on.
    soon("the end of the sockets", async {
        while descriptors(&gateway) > calm + 32 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    let begin = Instant::now();
    let coming = Client::connect(public, PATH).await.unwrap();
    coming.close(1000.into()).await;
    backend.next("cleanup").await;
    // For information; no test depends on the duration.
    eprintln!("{} descriptors, cleanup after {:?}", descriptors(&gateway), begin.elapsed());
    GatewayRuns::end(gateway).await;
}
