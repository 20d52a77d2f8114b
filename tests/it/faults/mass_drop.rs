//! Thousands of clients leave at once: each has its cleanup, and the other clients are served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all};
use tokio::time::sleep;

use super::crowd::{connect, gate};
use crate::support::{
    backend::Reply,
    client::Client,
    world::{PATH, World},
};

const CLIENTS: usize = 2000;

async fn check(leave: impl AsyncFn(Vec<Client>)) {
    let world = World::start().await;
    let clients = connect(world.listeners.public, PATH, CLIENTS).await;
    assert_eq!(clients.len(), CLIENTS);
    let begin = Instant::now();
    leave(clients).await;
    world.backend.oracle().all_cleaned_up().await;
    // For information; no test depends on the duration.
    eprintln!("{CLIENTS} cleanups after {:?}", begin.elapsed());
    assert_eq!(world.backend.oracle().cleaned_up(), CLIENTS);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_cleaned_up_when_they_end_their_streams() {
    check(async |clients| drop(clients)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_cleaned_up_when_they_reset_their_streams() {
    check(async |clients| {
        for client in clients {
            client.into_raw().set_zero_linger().unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_cleaned_up_when_they_close() {
    check(async |mut clients| {
        for client in &mut clients {
            client.socket.close(None).await.unwrap();
        }
        // Waits until the gateway has answered.
        join_all(clients.iter_mut().map(|client| client.socket.by_ref().count())).await;
    })
    .await;
}

/// The cleanup function hangs, with as many calls as `cleanup.concurrency` allows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_disconnect_does_not_delay_open_and_new_connections() {
    let world = World::start().await;
    let gate = gate(&world.backend, "cleanup");
    let (mut staying, _) = world.client().await;
    drop(connect(world.listeners.public, PATH, CLIENTS).await);
    world.backend.next("cleanup").await;
    for number in 0..20 {
        staying.send(number.to_string()).await;
        assert_eq!(world.backend.next("transmit").await.data(), number.to_string());
    }
    let _coming = world.connect().await;
    gate.add_permits(2 * CLIENTS);
    world.finish().await;
}

/// No more than `cleanup.concurrency` calls run at once. There are more cleanups than
/// `cleanup.queue` allows in memory; the others wait in the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_disconnect_does_not_flood_the_cleanup_function() {
    const CLIENTS: usize = 500;
    const AT_ONCE: usize = 8;
    let tables = format!("[cleanup]\nqueue = 20\nconcurrency = {AT_ONCE}");
    let world = World::with("", &tables).await;
    let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&peak);
    world.backend.on("cleanup", move |_| {
        let (running, peak) = (Arc::clone(&running), Arc::clone(&highest));
        async move {
            peak.fetch_max(running.fetch_add(1, Relaxed) + 1, Relaxed);
            sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, Relaxed);
            Reply::ok()
        }
    });
    drop(connect(world.listeners.public, PATH, CLIENTS).await);
    world.backend.oracle().all_cleaned_up().await;
    assert_eq!(world.backend.oracle().cleaned_up(), CLIENTS);
    assert_eq!(peak.load(Relaxed), AT_ONCE);
    world.finish().await;
}

/// A call of transmit runs for each of the other clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_does_not_delay_cleanups() {
    let world = World::start().await;
    let gate = gate(&world.backend, "transmit");
    let mut staying = connect(world.listeners.public, PATH, CLIENTS).await;
    for client in &mut staying {
        client.send("hello").await;
        world.backend.next("transmit").await;
    }
    drop(world.connect().await);
    world.backend.next("cleanup").await;
    gate.add_permits(CLIENTS);
    drop(staying);
    world.backend.oracle().all_cleaned_up().await;
    world.finish().await;
}

/// There are more cleanups than `cleanup.queue` allows in memory, some from before the drain and
/// some caused by it. There is no journal on disk that could keep them for the next run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_also_delivers_cleanups_without_a_permit() {
    const CLIENTS: usize = 100;
    let tables = "[journal]\nsync = 'off'\n[cleanup]\nqueue = 10\nconcurrency = 2";
    let world = World::with("", tables).await;
    let gate = gate(&world.backend, "cleanup");
    let mut clients = connect(world.listeners.public, PATH, CLIENTS).await;
    for leaving in clients.drain(..CLIENTS / 2) {
        leaving.close(1000.into()).await;
    }
    world.stop.cancel();
    let codes = join_all(clients.iter_mut().map(Client::closed)).await;
    assert_eq!(codes, vec![1001; CLIENTS / 2]);
    gate.add_permits(CLIENTS);
    world.finish().await;
}
