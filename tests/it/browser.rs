//! The chat page in a real browser: what a person sees, types and hears of.
//!
//! Nothing here is judged by how long it took. Pictures are kept in `screenshots` in the target
//! folder, for eyes.

mod keyboard;
mod offline;
mod screens;
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
        let browser = Browser::start().await?;
        let roster = tempfile::tempdir().unwrap();
        let stack = Stack::start(roster.path().to_str().unwrap()).await;
        Some(Self { stack, browser, roster })
    }

    /// The first tab, with the page in it and online.
    async fn tab(&self) -> Tab {
        self.enter(self.browser.tab().await).await
    }

    async fn new_tab(&self) -> Tab {
        self.enter(self.browser.new_tab().await).await
    }

    async fn enter(&self, tab: Tab) -> Tab {
        tab.open(&format!("http://{}/", self.stack.doors.public)).await;
        tab.see(ONLINE).await;
        tab
    }

    /// Somebody who talks to the page and has none.
    async fn guest(&self) -> Client {
        Client::connect(self.stack.doors.public, CHAT).await.unwrap()
    }

    /// Waits until so many are in the roster: cleanup runs after somebody has left.
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
