//! Static pages: which requests get one, and what is answered in place of a page that there is not.

use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    backend::Backend,
    client::{exchange, received},
    process::Process,
    world::World,
};

const PAGE: &str = "<p>a page</p>";

/// A gateway with one page, and the folder of the page.
async fn world() -> (World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), PAGE).unwrap();
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        static.dir = "{}"
        api = [{{ id = "api-test", path = "/release/test", transmit = "BACKEND/transmit" }}]
        "#,
        folder.path().display()
    );
    (World::launch(Backend::start().await, &settings).await, folder)
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// `curl --http2` offers `h2c` with its first request (RFC 9110 section 7.8: a server may ignore
/// what it does not speak).
#[tokio::test]
async fn a_page_is_served_whatever_else_than_a_websocket_the_client_offers() {
    let (world, _folder) = world().await;
    for upgrade in [
        "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
        "Connection: upgrade, close\r\nUpgrade: TLS/1.3, h2c\r\n",
        "Connection: close\r\nUpgrade: \r\n",
        "Connection: close\r\nUpgrade: websocket2\r\n",
    ] {
        let request = get("/page.html", upgrade);
        let answer = exchange(world.listeners.public, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(PAGE), "{answer}");
        // A client that sends no more is answered too.
        let mut stream = TcpStream::connect(world.listeners.public).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = received(stream).await;
        assert!(answer.ends_with(PAGE), "{answer}");
    }
    let websocket = get("/page.html", "Connection: upgrade, close\r\nUpgrade: WebSocket\r\n");
    let answer = exchange(world.listeners.public, websocket.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("no api match"), "{answer}");
    world.finish().await;
}

/// The file system has an error of its own for each of these paths. None of them is a problem of
/// the gateway.
#[tokio::test]
async fn a_path_that_no_file_can_have_is_404_and_no_error_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), PAGE).unwrap();
    let settings = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
        static.dir = '.'\n\
        api = [{ id = 'api-test', path = '/release/test', transmit = 'http://127.0.0.1:1/' }]\n";
    std::fs::write(folder.path().join("gateway.toml"), settings).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    symlink("loop", folder.path().join("loop")).unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let (long, deep) = ("x".repeat(300), "x/".repeat(4000));
    for path in [
        "nobody",
        &long,
        &format!("{long}/page.html"),
        &deep,
        "page.html/more",
        "page.html/",
        "loop",
        "loop/page.html",
        "empty/",
        "%00",
        "page.html%00",
        "%FF",
        "..%2Fpage.html",
    ] {
        let request = get(&format!("/{path}"), "Connection: close\r\n");
        let answer = exchange(gateway.address("public"), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(answer.contains(r#"{"message":"There is no api match uri[/"#), "{path}: {answer}");
    }
    gateway.signal(Signal::SIGTERM);
    let log = gateway.ended_with_log().await;
    assert!(log.contains("draining") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_path_that_leaves_the_folder_of_the_pages_is_404() {
    let (world, folder) = world().await;
    let secret = tempfile::NamedTempFile::new_in(folder.path().parent().unwrap()).unwrap();
    std::fs::write(secret.path(), "a secret").unwrap();
    let (name, path) = (secret.path().file_name().unwrap(), secret.path().display());
    let name = name.to_str().unwrap();
    for path in [
        format!("/../{name}"),
        format!("/%2e%2e/{name}"),
        format!("/..%2F{name}"),
        format!("/x/../../{name}"),
        format!("//../{name}"),
        format!("/.%2e/{name}"),
        format!("/..%5C{name}"),
        format!("{path}"),
        format!("/{path}"),
        format!("/page.html/../../{name}"),
    ] {
        let request = get(&path, "Connection: close\r\n");
        let answer = exchange(world.listeners.public, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(!answer.contains("a secret"), "{path}: {answer}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_page_is_served_in_every_spelling_of_its_path() {
    let (world, folder) = world().await;
    std::fs::write(folder.path().join("a 聊^.html"), PAGE).unwrap();
    for path in [
        "/%70age.html",
        "/x/../page.html",
        "//%2e/page.html?q=%20",
        "/a%20%E8%81%8a%5e.html",
        "/a%20聊%5E.html",
    ] {
        let request = get(path, "Connection: close\r\n");
        let answer = exchange(world.listeners.public, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(PAGE), "{path}: {answer}");
    }
    world.finish().await;
}

/// A browser takes `//sub/` for another server.
#[tokio::test]
async fn a_redirect_stays_on_this_server() {
    let (world, folder) = world().await;
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    for path in ["//sub?x=1", "///sub?x=1", "/sub?x=1", "/y/..//sub?x=1"] {
        let request = get(path, "Connection: close\r\n");
        let answer = exchange(world.listeners.public, request.as_bytes()).await;
        assert!(answer.contains("location: /sub/?x=1\r\n"), "{path}: {answer}");
    }
    world.finish().await;
}
