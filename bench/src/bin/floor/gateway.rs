//! The role `gateway` of the floor: holds the sockets, calls the function, accepts pushes.

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
    http::{Response, ok, serve},
    http_client::HttpClient,
    message::JsonMessage,
    websocket::{WebSocket, accept},
};

type Sink = Arc<tokio::sync::Mutex<SplitSink<WebSocket, Frame>>>;

/// The sockets by id. The id is the path of the client's URL; several sockets may have the same
/// one.
#[derive(Clone, Default)]
struct Sockets(Arc<Mutex<HashMap<String, Vec<Sink>>>>);

impl Sockets {
    fn insert(&self, id: &str, sink: &Sink) {
        let mut sockets = self.0.lock().expect("nothing panics with the lock held");
        sockets.entry(id.to_owned()).or_default().push(Arc::clone(sink));
    }

    fn get(&self, id: &str) -> Vec<Sink> {
        let sockets = self.0.lock().expect("nothing panics with the lock held");
        sockets.get(id).cloned().unwrap_or_default()
    }

    fn remove(&self, id: &str, sink: &Sink) {
        let mut sockets = self.0.lock().expect("nothing panics with the lock held");
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
    let (sockets, client) = (Sockets::default(), HttpClient::new(function));
    let pushed = sockets.clone();
    let pushes = serve(internal, move |request| push(pushed.clone(), request));
    let clients = accept(public, || {
        let (sockets, client) = (sockets.clone(), client.clone());
        move |socket, path| serve_socket(socket, path, sockets, client)
    });
    tokio::try_join!(pushes, clients)?;
    Ok(())
}

/// Serves one connection. As in Longhold, the next message is sent to the function only after the
/// last one was answered.
async fn serve_socket(
    socket: WebSocket,
    id: String,
    sockets: Sockets,
    client: HttpClient,
) -> anyhow::Result<()> {
    let (sink, mut stream) = socket.split();
    let sink = Arc::new(tokio::sync::Mutex::new(sink));
    sockets.insert(&id, &sink);
    while let Some(Ok(frame)) = stream.next().await {
        if let Frame::Text(text) = frame {
            client.post("/", serde_json::to_vec(&JsonMessage::text(&id, &text))?).await?;
        }
    }
    sockets.remove(&id, &sink);
    Ok(())
}

async fn push(sockets: Sockets, request: Request<Incoming>) -> anyhow::Result<Response> {
    let body = request.into_body().collect().await?.to_bytes();
    let JsonMessage { websocket } = serde_json::from_slice(&body)?;
    let frame = Frame::text(websocket.data.as_ref());
    for sink in sockets.get(&websocket.connection_id) {
        // Not an error if the client has left meanwhile.
        let _ = sink.lock().await.send(frame.clone()).await;
    }
    Ok(ok())
}
