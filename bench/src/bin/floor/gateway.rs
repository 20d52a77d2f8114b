//! The first process of the floor: holds the sockets, calls the function, takes pushes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use http_body_util::BodyExt;
use hyper::{Request, body::Incoming};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::{
    caller::Caller,
    http::{Answer, ok, serve},
    message::Message,
    websocket::{Socket, accept},
};

type Sink = Arc<tokio::sync::Mutex<SplitSink<Socket, Frame>>>;

/// By id, which is the path that the client asked for: all that ask for one path are one id.
#[derive(Clone, Default)]
struct Sockets(Arc<Mutex<HashMap<String, Vec<Sink>>>>);

impl Sockets {
    fn enter(&self, id: &str, sink: &Sink) {
        let mut sockets = self.0.lock().expect("nobody panics with it");
        sockets.entry(id.to_owned()).or_default().push(Arc::clone(sink));
    }

    fn get(&self, id: &str) -> Vec<Sink> {
        self.0.lock().expect("nobody panics with it").get(id).cloned().unwrap_or_default()
    }

    fn leave(&self, id: &str, sink: &Sink) {
        let mut sockets = self.0.lock().expect("nobody panics with it");
        let Some(sinks) = sockets.get_mut(id) else { return };
        sinks.retain(|other| !Arc::ptr_eq(other, sink));
        if sinks.is_empty() {
            sockets.remove(id);
        }
    }
}

pub(crate) async fn run(
    public: TcpListener,
    internal: TcpListener,
    function: SocketAddr,
) -> anyhow::Result<()> {
    let (sockets, caller) = (Sockets::default(), Caller::new(function));
    let pushed = sockets.clone();
    let pushes = serve(internal, move |request| push(pushed.clone(), request));
    let clients = accept(public, || {
        let (sockets, caller) = (sockets.clone(), caller.clone());
        move |socket, path| hold(socket, path, sockets, caller)
    });
    tokio::try_join!(pushes, clients)?;
    Ok(())
}

/// One connection. As in Longhold, the next message is not read before the last was answered.
async fn hold(socket: Socket, id: String, sockets: Sockets, caller: Caller) -> anyhow::Result<()> {
    let (sink, mut stream) = socket.split();
    let sink = Arc::new(tokio::sync::Mutex::new(sink));
    sockets.enter(&id, &sink);
    while let Some(Ok(frame)) = stream.next().await {
        if let Frame::Text(text) = frame {
            caller.post("/", serde_json::to_vec(&Message::text(&id, &text))?).await?;
        }
    }
    sockets.leave(&id, &sink);
    Ok(())
}

async fn push(sockets: Sockets, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let body = request.into_body().collect().await?.to_bytes();
    let Message { websocket } = serde_json::from_slice(&body)?;
    let frame = Frame::text(websocket.data.as_ref());
    for sink in sockets.get(&websocket.connection_id) {
        // One that has left meanwhile is no failure.
        let _ = sink.lock().await.send(frame.clone()).await;
    }
    Ok(ok())
}
