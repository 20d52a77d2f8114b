//! People chat, and all they write is shown as plain text.

use serde_json::{Value, json};

use super::Room;
use crate::support::browser::Tab;

#[tokio::test]
async fn two_tabs_chat_and_show_how_many_are_online() {
    let Some(room) = Room::open().await else { return };
    let (anna, ben) = (room.tab().await, room.new_tab().await);
    anna.write("#name", "Anna").await;
    ben.write("#name", "Ben").await;
    // At once, before anybody has spoken. It is no message.
    anna.see("#online-count[data-count='1']").await;
    ben.see("#online-count[data-count='2']").await;
    assert_eq!(ben.ask("document.querySelectorAll('.received').length").await, 0);

    anna.write("#message", "hello\u{e007}").await;
    ben.see(".received").await;
    assert_eq!(ben.text(".received .author").await, "Anna");
    assert_eq!(ben.text(".received .text").await, "hello");
    assert_eq!(ben.text("#online-count").await, "2 online");
    assert_eq!(anna.text(".sent .text").await, "hello");
    assert_eq!(anna.draft().await, "");

    ben.write("#message", "hello Anna").await;
    ben.see("#send").await.click().await.unwrap();
    anna.see(".received").await;
    assert_eq!(anna.text(".received .author").await, "Ben");
    assert_eq!(anna.text("#online-count").await, "2 online");

    let mut guest = room.guest().await;
    guest.send("Cara: may I join?").await;
    for tab in [&anna, &ben] {
        tab.see("#online-count[data-count='3']").await;
    }
    guest.close(1000.into()).await;
    room.until_online(2).await;
    ben.write("#message", "gone again\u{e007}").await;
    anna.see("#online-count[data-count='2']").await;
    room.finish().await;
}

/// Texts, each with the direction in which it must be shown.
const TEXTS: &[(&str, &str)] = &[
    ("plain & simple", "ltr"),
    ("👋🏽 👩‍👩‍👧‍👦 🇺🇳 e\u{301}", "ltr"),
    ("שלום, מה שלומך?", "rtl"),
    ("مرحبا 123 hello", "rtl"),
    ("<b>bold</b> &amp; <!-- gone -->", "ltr"),
    ("<img src=x onerror=\"window.fooled = true\">", "ltr"),
    ("</li></ol><script>window.fooled = true</script>", "ltr"),
    ("javascript:window.fooled=true {{7*7}} ${7*7}", "ltr"),
];

#[tokio::test]
async fn emoji_right_to_left_and_html_are_shown_as_text() {
    let Some(room) = Room::open().await else { return };
    let (anna, ben) = (room.tab().await, room.new_tab().await);
    anna.write("#name", "<i>Ánna</i> 👋").await;
    for (index, (text, direction)) in TEXTS.iter().enumerate() {
        anna.write("#message", &format!("{text}\u{e007}")).await;
        let nth = index + 1;
        for (tab, kind) in [(&anna, "sent"), (&ben, "received")] {
            let message = format!("#log .{kind}:nth-child({nth})");
            tab.see(&message).await;
            assert_eq!(tab.text(&format!("{message} .author")).await, "<i>Ánna</i> 👋");
            assert_eq!(tab.text(&format!("{message} .text")).await, *text);
            tab.see(&format!("{message} .text:dir({direction})")).await;
        }
    }
    for tab in [&anna, &ben] {
        only_the_pages_own_elements(tab).await;
    }
    room.finish().await;
}

/// The log has only elements that the page has made.
async fn only_the_pages_own_elements(tab: &Tab) {
    let tags = tab.ask(
        "[...new Set([...document.querySelectorAll('#log *')].map((e) => e.localName))].sort()",
    );
    assert_eq!(tags.await, json!(["bdi", "br", "div", "li", "ol", "p", "time"]));
    assert_eq!(tab.ask("document.querySelectorAll('.author *, .text *').length").await, 0);
    assert_eq!(tab.ask("window.fooled").await, Value::Null);
}

#[tokio::test]
async fn a_reader_who_scrolled_up_sees_a_button_for_new_messages_and_is_not_moved() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    let mut guest = room.guest().await;
    guest.send(format!("Ben: {}", "a long story\n".repeat(100))).await;
    tab.see(".received").await;
    tab.ask("void (document.querySelector('#log').scrollTop = 0)").await;
    for news in ["Ben: one", "Ben: two"] {
        guest.send(news).await;
    }
    tab.see(".received:nth-child(3)").await;
    assert_eq!(tab.text("#new-messages").await, "2 new messages");
    assert_eq!(tab.ask("document.querySelector('#log').scrollTop").await, 0);

    tab.see("#new-messages").await.click().await.unwrap();
    tab.see("#new-messages[hidden]").await;
    assert_eq!(tab.focused().await, "log");
    guest.send("Ben: three").await;
    tab.see(".received:nth-child(4)").await;
    tab.see("#new-messages[hidden]").await;
    room.finish().await;
}
