//! The proxies of docs/operations.md, with a gateway behind them that trusts them: messages, the
//! close code and the client's address pass through.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use tempfile::TempDir;
use tokio::{
    net::{TcpSocket, TcpStream},
    process::Child,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use super::{
    blocks::{Block, named, with},
    has, shell,
};
use crate::support::{
    program::{own_address, start},
    soon,
    tls::Authority,
    world::{World, closing},
};

pub(super) const DOCUMENT: &str = "docs/operations.md";
const HOST: &str = "chat.example.com";
/// What a client says of itself.
const FORGED: &str = "203.0.113.7";

/// A running proxy in front of a gateway.
struct Proxy {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    /// Whether it reads nothing of what it passes on.
    passes_tcp_on: bool,
    _child: Child,
}

/// A certificate for [`HOST`], with its key, in the files `chat.example.com.pem` and `.key`.
async fn make_certificate(folder: &Path) -> CertificateDer<'static> {
    let command = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -keyout {HOST}.key -out {HOST}.pem -subj /CN={HOST} -addext subjectAltName=DNS:{HOST} \
         -addext basicConstraints=critical,CA:FALSE"
    );
    shell::run(&command, folder, "a certificate").await;
    CertificateDer::from_pem_file(folder.join(format!("{HOST}.pem"))).unwrap()
}

impl Proxy {
    async fn start(
        folder: &TempDir,
        address: SocketAddr,
        program: &str,
        arguments: &[&str],
    ) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.path().join(format!("{HOST}.pem")));
        let certificate = certificate.unwrap();
        let _child = start(folder, address, program, arguments).await;
        Self { address, certificate, passes_tcp_on: false, _child }
    }

    /// A proxy in front of a gateway that has the certificate.
    async fn start_for(
        authority: &CertificateDer<'static>,
        folder: &TempDir,
        address: SocketAddr,
        program: &str,
        arguments: &[&str],
    ) -> Self {
        let (certificate, passes_tcp_on) = (authority.clone(), true);
        let _child = start(folder, address, program, arguments).await;
        Self { address, certificate, passes_tcp_on, _child }
    }

    /// A client with an address of its own, that says it has another.
    async fn connect(&self, from: Ipv4Addr, path: &str) -> WebSocketStream<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(HOST).unwrap();
        let tls = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let tls = soon("TLS", tls).await.unwrap();
        let mut request = format!("wss://{HOST}{path}").into_client_request().unwrap();
        let forged = HeaderValue::from_static(FORGED);
        request.headers_mut().insert("x-forwarded-for", forged);
        let client = Box::pin(client_async(request, tls));
        soon("a handshake", client).await.unwrap().0
    }
}

/// The arguments of a Caddy with the `Caddyfile` in its working folder.
pub(super) const CADDY: [&str; 5] = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];

/// The arguments of an nginx in this folder.
pub(super) fn nginx(folder: &TempDir) -> [&str; 8] {
    let prefix = folder.path().to_str().unwrap();
    ["-p", prefix, "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off; master_process off;"]
}

/// Writes the file of an nginx with `main` outside of `http`, and `site` within. The rest is what
/// the file of the distribution says, but for its places: this one runs beside it.
pub(super) fn write_nginx(folder: &TempDir, main: &str, site: &str) {
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path tmp_{name};"));
    let paths = paths.join(" ");
    let text = format!("pid nginx.pid; {main} http {{ access_log off; {paths} {site} }}");
    fs::write(folder.path().join("nginx.conf"), text).unwrap();
}

/// A gateway that trusts its proxies in the way of the document.
async fn trusting() -> World {
    World::with("", &with(DOCUMENT, "toml", "header = \"x-forwarded-for\"").text).await
}

/// A gateway with TLS behind a proxy that passes TCP on, and who has signed its certificate.
async fn trusting_tcp() -> (World, CertificateDer<'static>) {
    let authority = Authority::new();
    authority.issue("a", &[HOST]);
    let proxies = with(DOCUMENT, "toml", "protocol = true").text;
    let world = World::with("", &format!("{proxies}\n{}", authority.table(&["a"]))).await;
    (world, authority.certificate())
}

/// What holds of each proxy.
async fn check(world: World, proxy: &Proxy) {
    let from = Ipv4Addr::new(127, 5, 6, 7);
    let mut client = proxy.connect(from, "/release/test?name=anna").await;
    let register = world.backend.next("register").await;
    assert_eq!(register.event["requestContext"]["sourceIp"], from.to_string());
    let sent = if proxy.passes_tcp_on { FORGED } else { &from.to_string() };
    assert_eq!(register.event["headers"]["x-forwarded-for"], sent);
    assert_eq!(register.event["headers"]["host"], HOST);
    assert_eq!(register.event["queryString"]["name"], "anna");

    client.send(Message::text("hello")).await.unwrap();
    assert_eq!(world.backend.next("transmit").await.data(), "hello");
    assert_eq!(world.push_text(register.id(), "hi").await, 0);
    assert_eq!(soon("a push", client.next()).await.unwrap().unwrap(), Message::text("hi"));
    world.push(closing(register.id())).await;
    match soon("a Close", client.next()).await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Normal),
        other => panic!("{other:?}"),
    }
    while let Some(Ok(_)) = soon("the end", client.next()).await {}
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "server");
    world.finish().await;
}

pub(super) fn sample(block: &Block, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(block.text.clone(), |text, (from, to)| {
        assert!(text.contains(from), "{} has no {from}", block.place());
        text.replace(from, to)
    })
}

#[tokio::test]
async fn nginx_with_tls_stands_in_front_of_a_gateway() {
    if !has("nginx", "nginx-light") || !has("openssl", "openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path()).await;
    let (world, address) = (trusting().await, own_address());
    let changes = [
        ("127.0.0.1:9000", &*world.listeners.public.to_string()),
        ("listen 443 ssl", &format!("listen {address} ssl")),
        ("/etc/ssl/", &format!("{}/", folder.path().display())),
    ];
    let site = sample(&named(DOCUMENT, "nginx", "longhold.conf"), &changes);
    let main = named(DOCUMENT, "nginx", "nginx.conf").text;
    write_nginx(&folder, &main, &site);
    let proxy = Proxy::start(&folder, address, "nginx", &nginx(&folder)).await;
    check(world, &proxy).await;
}

#[tokio::test]
async fn caddy_with_tls_stands_in_front_of_a_gateway() {
    if !has("caddy", "caddy") || !has("openssl", "openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path()).await;
    let (world, address) = (trusting().await, own_address());
    // Caddy would ask an authority for a certificate; this one is made here.
    let site = format!(
        "https://{HOST}:{} {{\nbind {}\ntls {HOST}.pem {HOST}.key\n",
        address.port(),
        address.ip()
    );
    let changes =
        [("chat.example.com {\n", &*site), ("127.0.0.1:9000", &world.listeners.public.to_string())];
    let text = sample(&named(DOCUMENT, "caddyfile", "Caddyfile"), &changes);
    let options = "{\nadmin off\nauto_https disable_redirects\n}\n";
    fs::write(folder.path().join("Caddyfile"), format!("{options}{text}")).unwrap();
    let proxy = Proxy::start(&folder, address, "caddy", &CADDY).await;
    check(world, &proxy).await;
}

#[tokio::test]
async fn nginx_that_passes_tcp_on_stands_in_front_of_a_gateway_with_tls() {
    const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
    if !has("nginx", "nginx-light") || !has(MODULE, "libnginx-mod-stream") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ((world, authority), address) = (trusting_tcp().await, own_address());
    let changes = [
        ("127.0.0.1:9000", &*world.listeners.public.to_string()),
        ("listen 443", &format!("listen {address}")),
    ];
    let stream = sample(&named(DOCUMENT, "nginx", "stream.conf"), &changes);
    let text = format!("pid nginx.pid; load_module {MODULE}; events {{}} {stream}");
    fs::write(folder.path().join("nginx.conf"), text).unwrap();
    let proxy = Proxy::start_for(&authority, &folder, address, "nginx", &nginx(&folder)).await;
    check(world, &proxy).await;
}

#[tokio::test]
async fn haproxy_stands_in_front_of_a_gateway_with_tls() {
    if !has("haproxy", "haproxy") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for send in ["send-proxy-v2", "send-proxy"] {
        let ((world, authority), address) = (trusting_tcp().await, own_address());
        let changes = [
            ("127.0.0.1:9000", &*world.listeners.public.to_string()),
            ("bind :443", &format!("bind {address}")),
            ("send-proxy-v2", send),
        ];
        let text = sample(&named(DOCUMENT, "haproxy", "haproxy.cfg"), &changes);
        fs::write(folder.path().join("haproxy.cfg"), text).unwrap();
        let arguments = ["-db", "-f", "haproxy.cfg"];
        let proxy = Proxy::start_for(&authority, &folder, address, "haproxy", &arguments).await;
        check(world, &proxy).await;
    }
}
