//! The chat page in a real browser.
//!
//! No test depends on how long something takes. Screenshots are saved in `screenshots` in the
//! target folder, for people to look at.

mod bearer;
mod keyboard;
mod offline;
mod screens;
mod secure;
mod strangers;
mod talk;

use std::fs;

use tempfile::TempDir;
use tokio::task::yield_now;

use crate::support::{
    browser::{Browser, Tab},
    client::Client,
    soon,
    stack::Stack,
};

const CHAT: &str = "/release/chat";
const ONLINE: &str = "#status[data-state=online]";

/// The chat, and a browser to use it with.
struct Room {
    stack: Stack,
    browser: Browser,
    roster: TempDir,
}

impl Room {
    /// None on a machine without a browser.
    async fn open() -> Option<Self> {
        Self::with(async |roster| Stack::start(roster).await).await
    }

    /// `start` starts the services, with the roster that it is given.
    async fn with(start: impl AsyncFnOnce(&str) -> Stack) -> Option<Self> {
        let browser = Browser::start().await?;
        let roster = tempfile::tempdir().unwrap();
        let stack = start(roster.path().to_str().unwrap()).await;
        Some(Self { stack, browser, roster })
    }

    /// The first tab, with the page connected.
    async fn tab(&self) -> Tab {
        self.enter(self.browser.tab().await).await
    }

    async fn new_tab(&self) -> Tab {
        self.enter(self.browser.new_tab().await).await
    }

    async fn enter(&self, tab: Tab) -> Tab {
        tab.open(&format!("http://{}/", self.stack.listeners.public)).await;
        tab.see(ONLINE).await;
        tab
    }

    /// A participant of the chat without a page.
    async fn guest(&self) -> Client {
        Client::connect(self.stack.listeners.public, CHAT).await.unwrap()
    }

    /// Waits until `count` ids are in the roster. An id is removed by cleanup, after the connection
    /// has ended.
    async fn until_online(&self, count: usize) {
        soon("the roster to change", async {
            while fs::read_dir(self.roster.path()).unwrap().count() != count {
                yield_now().await;
            }
        })
        .await;
    }

    async fn finish(self) {
        self.browser.finish().await;
        self.stack.finish().await;
    }
}
