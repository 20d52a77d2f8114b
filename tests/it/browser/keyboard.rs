//! The page, used with the keyboard only.

use fantoccini::key::Key;

use super::Room;
use crate::support::browser::Tab;

/// The elements that get the focus, in the order of the page.
const STOPS: [&str; 4] = ["log", "name", "message", "send"];

/// Whether the element with the focus has a visible ring.
const HAS_RING: &str = "(({ outlineStyle: style, outlineWidth: width }) => \
                        style === 'solid' && parseFloat(width) >= 2)\
                        (getComputedStyle(document.activeElement))";

async fn check_focus(tab: &Tab, id: &str) {
    assert_eq!(tab.focused().await, id);
    assert_eq!(tab.ask(HAS_RING).await, true, "{id} has no ring");
}

#[tokio::test]
async fn tab_goes_through_the_page_in_order_and_back() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    for id in STOPS {
        tab.press(&[Key::Tab]).await;
        check_focus(&tab, id).await;
    }
    for id in STOPS.iter().rev().skip(1) {
        tab.press(&[Key::Shift, Key::Tab]).await;
        check_focus(&tab, id).await;
    }
    room.finish().await;
}

#[tokio::test]
async fn enter_sends_and_shift_enter_makes_a_new_line() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    let mut guest = room.guest().await;
    tab.press(&[Key::Tab]).await;
    tab.press(&[Key::Tab]).await;
    tab.type_text("Anna").await;
    // Enter in the name field moves the focus to the text box.
    tab.press(&[Key::Enter]).await;
    check_focus(&tab, "message").await;
    // A message of spaces is not sent.
    tab.type_text("  ").await;
    tab.press(&[Key::Enter]).await;

    tab.type_text("one").await;
    tab.press(&[Key::Shift, Key::Enter]).await;
    tab.type_text("two").await;
    assert_eq!(tab.draft().await, "  one\ntwo");
    tab.press(&[Key::Enter]).await;
    assert_eq!(guest.receive_text().await, "Anna:   one\ntwo(===Online people:2===)");
    assert_eq!(tab.text(".sent:first-child .text").await, "  one\ntwo");
    assert_eq!(tab.draft().await, "");
    check_focus(&tab, "message").await;

    // The button sends too, and moves the focus back to the text box.
    tab.type_text("three").await;
    tab.press(&[Key::Tab]).await;
    tab.press(&[Key::Space]).await;
    assert_eq!(guest.receive_text().await, "Anna: three(===Online people:2===)");
    check_focus(&tab, "message").await;
    room.finish().await;
}
