//! The page without a server: it says so, keeps the typed text, and reconnects by itself.

use std::net::{Ipv4Addr, SocketAddr};

use fantoccini::key::Key;
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use super::{CHAT, ONLINE, Room};
use crate::support::{
    browser::{Browser, Network, Tab},
    client::Client,
    process::Process,
};

const OFFLINE: &str = "#status[data-state=offline]";

/// While the page is offline, nothing is sent, and the typed text stays.
async fn check_offline(tab: &Tab, draft: &str) {
    tab.press(&[Key::Enter]).await;
    assert_eq!(tab.draft().await, draft);
    tab.see("#send:disabled").await;
    assert_eq!(tab.text("#online-count").await, "");
    assert!(tab.text("#hint").await.ends_with("Your text stays here, unsent."));
}

/// Makes the delay of the page's next automatic attempt longer than any test.
async fn delay_automatic_retry(tab: &Tab) {
    tab.ask("void (Math.random = () => 29)").await;
}

#[tokio::test]
async fn without_a_network_the_page_says_so_and_keeps_the_typed_text() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    let mut guest = room.guest().await;
    guest.send("Cara: the train goes through a tunnel").await;
    tab.see(".received").await;
    tab.write("#name", "Anna").await;
    tab.write("#message", "we are through ").await;

    delay_automatic_retry(&tab).await;
    tab.network(Network::Offline).await;
    tab.see(OFFLINE).await;
    assert_eq!(tab.text("#status").await, "Offline. This device has no network.");
    assert!(tab.text("#countdown").await.starts_with("Next try in "));
    tab.see("#retry:not([hidden])").await;
    // The text box still has the focus and the text.
    tab.type_text("the tunnel").await;
    check_offline(&tab, "we are through the tunnel").await;
    tab.screenshot("offline").await;

    tab.network(Network::Online).await;
    tab.see(ONLINE).await;
    tab.see("#retry[hidden]").await;
    tab.see(".notice").await;
    tab.press(&[Key::Enter]).await;
    let text = guest.receive_text().await;
    assert!(text.starts_with("Anna: we are through the tunnel(==="), "{text}");
    assert_eq!(tab.ask("document.querySelectorAll('.sent').length").await, 1);
    room.finish().await;
}

#[tokio::test]
async fn the_page_reconnects_after_the_gateway_was_killed_and_started_again() {
    let Some(browser) = Browser::start().await else { return };
    let (port, folder) = (Port::reserve(), tempfile::tempdir().unwrap());
    let longhold = start(&port, &folder).await;
    let tab = browser.tab().await;
    tab.open(&format!("http://{}/", port.address)).await;
    tab.see(ONLINE).await;
    tab.write("#name", "Anna").await;
    tab.write("#message", "before\u{e007}").await;
    tab.see(".sent").await;

    longhold.signal(Signal::SIGKILL);
    longhold.ended().await;
    tab.see(OFFLINE).await;
    tab.write("#message", "after").await;
    check_offline(&tab, "after").await;

    let longhold = start(&port, &folder).await;
    tab.see(ONLINE).await;
    assert_eq!(
        tab.text(".notice").await,
        "Connected again. What others said meanwhile did not reach you."
    );
    let mut guest = Client::connect(port.address, CHAT).await.unwrap();
    tab.press(&[Key::Enter]).await;
    let text = guest.receive_text().await;
    assert!(text.starts_with("Anna: after(==="), "{text}");
    guest.send("Cara: welcome back").await;
    tab.see(".received").await;

    guest.close(1000.into()).await;
    browser.finish().await;
    assert_eq!(longhold.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn the_button_try_now_connects_at_once_also_by_keyboard() {
    let Some(browser) = Browser::start().await else { return };
    let (port, folder) = (Port::reserve(), tempfile::tempdir().unwrap());
    let longhold = start(&port, &folder).await;
    let tab = browser.tab().await;
    tab.open(&format!("http://{}/", port.address)).await;
    tab.see(ONLINE).await;
    delay_automatic_retry(&tab).await;
    assert_eq!(longhold.stopped().await.code(), Some(0));
    tab.see(OFFLINE).await;
    let reason = "Offline. The server went away, or found this connection idle.";
    assert_eq!(tab.text("#status").await, reason);

    let longhold = start(&port, &folder).await;
    tab.press(&[Key::Tab]).await;
    assert_eq!(tab.focused().await, "retry");
    tab.press(&[Key::Enter]).await;
    tab.see(ONLINE).await;
    // The button is hidden, and the focus has moved to the text box.
    assert_eq!(tab.focused().await, "message");
    browser.finish().await;
    assert_eq!(longhold.stopped().await.code(), Some(0));
}

async fn start(port: &Port, folder: &TempDir) -> Process {
    let public = port.address.to_string();
    let variables = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", public.as_str()),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
    ];
    Process::start("longhold", &[], folder.path(), &variables).await
}

/// A port that is reserved while no process listens on it.
struct Port {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl Port {
    /// The socket never listens. The listener of a process can have the same port, since both allow
    /// reuse. The system does not give the port to outgoing connections.
    fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { address: socket.local_addr().unwrap(), _socket: socket }
    }
}
