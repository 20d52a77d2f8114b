//! Clients that send frames without end.

use super::*;

/// A client that sends this frame without end.
struct Endless(Vec<u8>);

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // As a real socket does, the stream is ready for as long as the task has budget.
        ready!(pin!(consume_budget()).poll(cx));
        buffer.put_slice(&self.0);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// On the real clock, because a clock that is paused stands still while bytes come.
#[tokio::test]
async fn a_flood_of_empty_fragments_does_not_outlast_the_close_timeout() {
    let (entry, mut settings) = entry();
    settings.close_timeout = Duration::from_millis(50);
    let handle = Arc::clone(&entry.handle);
    let functions = functions();
    let first = client_frame(1, false, b"");
    let stream = Endless(client_frame(0, false, b""));
    let connection = Connection::new(stream, first, entry, &settings, &memory(), functions);
    assert!(handle.mailbox.close(End::SERVER));
    assert_eq!(connection.run().await.end, End::SERVER);
}

/// On the real clock, as above.
#[tokio::test]
async fn a_client_that_sends_frames_without_payload_for_ever_is_closed() {
    let ping = client_frame(9, true, b"");
    for (first, rest) in
        [(client_frame(1, false, b""), client_frame(0, false, b"")), (ping.clone(), ping)]
    {
        let (entry, mut settings) = entry();
        settings.close_timeout = Duration::from_millis(50);
        let functions = functions();
        let connection =
            Connection::new(Endless(rest), first, entry, &settings, &memory(), functions);
        // A thousand fragments may be found in one look at what has come.
        let end = connection.run().await.end;
        assert!([End::FLOOD, End::FRAGMENTS].contains(&end), "{end:?}");
    }
}

/// Also if it has broken the protocol, so that everything is dropped.
#[tokio::test]
async fn a_flood_of_large_pings_does_not_outlast_the_close_timeout() {
    let ping = client_frame(9, true, &[7; 125]);
    for (first, reason) in [(ping.clone(), EndReason::Server), (vec![0xff; 2], EndReason::Lost)] {
        let (entry, mut settings) = entry();
        settings.close_timeout = Duration::from_millis(50);
        let handle = Arc::clone(&entry.handle);
        let functions = functions();
        let connection =
            Connection::new(Endless(ping.clone()), first, entry, &settings, &memory(), functions);
        if reason == EndReason::Server {
            assert!(handle.mailbox.close(End::SERVER));
        }
        assert_eq!(connection.run().await.end.reason, reason);
    }
}
