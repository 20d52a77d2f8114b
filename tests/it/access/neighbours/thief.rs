//! A program of the user `nobody` that listens where a service should.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use nix::unistd::{Uid, User, setfsuid};
use tokio::sync::oneshot;

use crate::support::soon;

/// How long a client that has sent something may wait with the rest.
const READ_TIMEOUT: Duration = Duration::from_millis(200);

/// Its listener. Connections wait until they are asked for.
pub(super) struct Thief(TcpListener);

impl Thief {
    pub(super) async fn listen(address: SocketAddr) -> Self {
        Self(as_nobody(move || TcpListener::bind(address).unwrap()).await)
    }

    /// Accepts a connection, and returns what comes on it until the client closes it or waits for
    /// an answer.
    pub(super) async fn next(&self) -> String {
        let listener = self.0.try_clone().unwrap();
        as_nobody(move || received(&mut listener.accept().unwrap().0)).await
    }

    /// The same, and answers as a function that returns nothing.
    pub(super) async fn answer(&self) -> String {
        let listener = self.0.try_clone().unwrap();
        as_nobody(move || {
            let mut stream = listener.accept().unwrap().0;
            let request = received(&mut stream);
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
            // The client may have gone.
            let _ = stream.write_all(answer);
            request
        })
        .await
    }
}

fn received(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
    let (mut received, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => received.extend_from_slice(&piece[..bytes]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            // Its first byte may come late.
            Err(_) if received.is_empty() => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&received).into_owned()
}

/// The number of the user.
pub(super) fn nobody() -> Uid {
    User::from_name("nobody").unwrap().unwrap().uid
}

/// What `work` makes of sockets belongs to `nobody`: the kernel looks at the thread.
async fn as_nobody<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = oneshot::channel();
    thread::spawn(move || {
        setfsuid(nobody());
        // The test may have failed meanwhile.
        let _ = sender.send(work());
    });
    soon("a connection", done).await.unwrap()
}
