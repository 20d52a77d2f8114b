//! Functions that hang, or answer with garbage, half a response, or one byte at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use strum::VariantArray;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use crate::support::{
    backend::Backend,
    client::Client,
    soon,
    world::{PATH, World},
};

const HALF: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

#[derive(Debug, Clone, Copy, VariantArray)]
enum FunctionFault {
    /// Reads the event and never answers.
    Hangs,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Breaks off in the middle of its response.
    Half,
    /// Responds so slowly that the gateway's timeout passes.
    Slow,
    /// Reads the event and resets the connection.
    Resets,
}

impl FunctionFault {
    fn times_out(self) -> bool {
        matches!(self, Self::Hangs | Self::Slow)
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut event = [0; 4096];
        if stream.read(&mut event).await.is_err() {
            return;
        }
        // The gateway may hang up in the middle of any of these.
        match self {
            Self::Hangs => drop(stream.read(&mut event).await),
            Self::Garbage => drop(stream.write_all(b"\x00\x01 this is no HTTP\r\n\r\n").await),
            Self::Half => drop(stream.write_all(HALF).await),
            Self::Slow => {
                for byte in HALF.iter().cycle() {
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Self::Resets => stream.set_zero_linger().unwrap(),
        }
    }
}

/// A server whose first calls have a fault, and whose later calls succeed. Hanging calls end when
/// it is dropped.
struct FaultyFunction {
    url: String,
    calls: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

impl FaultyFunction {
    async fn start(fault: FunctionFault, faults: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let serving = async move {
            let mut hanging = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if counted.fetch_add(1, Ordering::Relaxed) < faults {
                    hanging.spawn(fault.serve(stream));
                } else {
                    let mut event = [0; 4096];
                    let _ = stream.read(&mut event).await;
                    let _ = stream.write_all(WHOLE).await;
                }
            }
        };
        Self { url, calls, _serving: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }
}

/// A world in which the function `name` is `function`.
async fn world(name: &str, function: &FaultyFunction) -> World {
    let url = |this: &str| match this == name {
        true => function.url.clone(),
        false => format!("BACKEND/{this}"),
    };
    let (register, transmit, cleanup) = (url("register"), url("transmit"), url("cleanup"));
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        [[api]]
        id = "api-test"
        path = "{PATH}"
        timeout = "300ms"
        function_timeout = "1s"
        register = "{register}"
        transmit = "{transmit}"
        cleanup = "{cleanup}"
        "#
    );
    World::launch(Backend::start().await, &settings).await
}

/// The cleanup is called when the function has ended for certain, as it may still run.
#[tokio::test]
async fn a_message_that_may_be_lost_closes_its_socket_with_1011() {
    for &fault in FunctionFault::VARIANTS {
        let function = FaultyFunction::start(fault, usize::MAX).await;
        let world = world("transmit", &function).await;
        let (mut client, _) = world.client().await;
        client.send("hello").await;
        assert_eq!(client.closed().await, 1011, "{fault:?}");
        assert!(!world.backend.was_called("cleanup").await, "{fault:?}");
        let cleanup = world.backend.next("cleanup").await;
        assert_eq!(cleanup.websocket("closeReason"), "fault", "{fault:?}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_register_that_may_have_run_is_refused_and_cleaned_up() {
    for &fault in FunctionFault::VARIANTS {
        let function = FaultyFunction::start(fault, usize::MAX).await;
        let world = world("register", &function).await;
        let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
        let expected = if fault.times_out() { 504 } else { 502 };
        assert_eq!(refused.status(), expected, "{fault:?}");
        assert!(!world.backend.was_called("cleanup").await, "{fault:?}");
        let cleanup = world.backend.next("cleanup").await;
        assert_eq!(cleanup.websocket("closeReason"), "unregistered", "{fault:?}");
        world.stopped().await.unwrap();
    }
}

#[tokio::test]
async fn a_cleanup_that_fails_five_times_is_delivered_by_the_sixth() {
    for &fault in FunctionFault::VARIANTS {
        let function = FaultyFunction::start(fault, 5).await;
        let world = world("cleanup", &function).await;
        drop(world.connect().await);
        soon("the sixth call", async {
            while function.calls.load(Ordering::Relaxed) < 6 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        world.stopped().await.unwrap();
        assert_eq!(function.calls.load(Ordering::Relaxed), 6, "{fault:?}");
    }
}
