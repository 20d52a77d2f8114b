//! The chat over TLS, with the certificate of `tls.dev` and a browser that trusts its authority.

use crate::support::{
    browser::{Browser, Tab},
    stack::Stack,
};

use super::ONLINE;

#[tokio::test]
async fn the_chat_works_over_tls_for_a_browser_that_trusts_the_authority() {
    let (roster, certificates) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stack = Stack::with_tls(roster.path().to_str().unwrap(), certificates.path()).await;
    let authority = certificates.path().join("ca.pem");
    let Some(browser) = Browser::start_trusting(&authority).await else { return };
    let (anna, ben) = (browser.tab().await, browser.new_tab().await);
    let port = stack.listeners.public.port();
    for (tab, host) in [(&anna, "localhost"), (&ben, "127.0.0.1")] {
        open(tab, &format!("https://{host}:{port}/")).await;
    }
    anna.write("#message", "hello\u{e007}").await;
    ben.see(".received").await;
    assert_eq!(ben.text(".received .text").await, "hello");
    browser.finish().await;
    stack.finish().await;
}

async fn open(tab: &Tab, url: &str) {
    tab.open(url).await;
    tab.see(ONLINE).await;
    assert_eq!(tab.ask("window.isSecureContext && location.protocol").await, "https:");
}
