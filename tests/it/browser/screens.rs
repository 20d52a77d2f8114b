//! The page in light and dark, and on small screens.

use serde_json::{Value, json};

use super::Room;
use crate::support::{
    browser::{Network, Tab},
    client::Client,
};

/// The lowest contrast between a visible text and its background (WCAG 2.2), and this text.
const LEAST_CONTRAST: &str = r"(() => {
  const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  };
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    const colour = channels(getComputedStyle(element).backgroundColor);
    return colour[3] === 255 ? colour : ground(element.parentElement);
  };
  const hasText = (element) =>
    element.value || [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.body.querySelectorAll('*')]
    .filter((element) => hasText(element) && element.checkVisibility() && !element.disabled)
    .map((element) => {
      const ink = luminance(channels(getComputedStyle(element).color));
      const paper = luminance(ground(element));
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      return [ratio, element.textContent.trim().slice(0, 40)];
    })
    .sort(([a], [b]) => a - b)[0];
})()";

/// The screens of phones, in portrait and landscape.
const SCREENS: [(u32, u32); 3] = [(390, 780), (320, 568), (568, 320)];

/// The controls that are too small for a finger.
const SMALL_CONTROLS: &str = "[...document.querySelectorAll('input, textarea, button')]\
    .filter((control) => control.checkVisibility())\
    .map((control) => [control.id, control.getBoundingClientRect()])\
    .filter(([, box]) => box.height < 44 || box.width < 44)\
    .map(([id, box]) => [id, box.width, box.height])";

const SCROLLS_SIDEWAYS: &str = "document.documentElement.scrollWidth > innerWidth || \
     document.querySelector('#log').scrollWidth > document.querySelector('#log').clientWidth";

/// Whether an element is within the window.
fn in_window(id: &str) -> String {
    format!(
        "(({{ left, right, top, bottom }}) => left >= 0 && top >= 0 && \
         right <= innerWidth && bottom <= innerHeight)\
         (document.getElementById('{id}').getBoundingClientRect())"
    )
}

/// Fills the page with a conversation and a text in the text box. Returns the other participant.
async fn converse(room: &Room, tab: &Tab) -> Client {
    let mut guest = room.guest().await;
    tab.write("#name", "Anna").await;
    let count = |n: usize| format!("#log li:nth-child({n})");
    guest.send("Ben: Is anybody there?").await;
    tab.see(&count(1)).await;
    tab.write("#message", "I am 👋 The tea is ready.\u{e007}").await;
    guest.send("نور: مساء الخير، أنا في الطريق").await;
    tab.see(&count(3)).await;
    guest.send("Ben: Three functions, one socket, and nobody notices when a server goes:\nregister, transmit, cleanup.").await;
    tab.see(&count(4)).await;
    tab.write("#message", "Then I will put the kettle on again.\u{e007}").await;
    guest.send("Ludmilla von der Donaudampfschifffahrt: https://example.org/a-link-without-any-place-to-break/0123456789abcdefghijklmnopqrstuvwxyz0123456789").await;
    tab.see(&count(6)).await;
    tab.write("#message", "Be right").await;
    guest
}

#[tokio::test]
async fn light_and_dark_follow_the_system_and_both_have_enough_contrast() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    tab.screenshot("empty").await;
    let _guest = converse(&room, &tab).await;
    let light = tab.ask("getComputedStyle(document.body).backgroundColor").await;
    check_contrast(&tab).await;
    tab.screenshot("light").await;
    tab.prefer_dark().await;
    assert_ne!(tab.ask("getComputedStyle(document.body).backgroundColor").await, light);
    check_contrast(&tab).await;
    tab.screenshot("dark").await;
    room.finish().await;
}

async fn check_contrast(tab: &Tab) {
    let least = tab.ask(LEAST_CONTRAST).await;
    assert!(least[0].as_f64().unwrap() >= 4.5, "{least}");
}

#[tokio::test]
async fn a_phone_shows_the_whole_page_with_controls_large_enough_for_fingers() {
    let Some(room) = Room::open().await else { return };
    let tab = room.tab().await;
    tab.phone((390, 780)).await;
    let mut guest = converse(&room, &tab).await;
    tab.screenshot("phone").await;
    for screen in SCREENS {
        check_phone(&tab, screen).await;
    }
    // The same with the controls that are hidden at first.
    tab.ask("void (document.querySelector('#log').scrollTop = 0)").await;
    guest.send("Ben: news").await;
    tab.see("#new-messages:not([hidden])").await;
    tab.network(Network::Offline).await;
    tab.see("#retry:not([hidden])").await;
    tab.phone(SCREENS[0]).await;
    tab.screenshot("phone-offline").await;
    for screen in SCREENS {
        check_phone(&tab, screen).await;
    }
    room.finish().await;
}

async fn check_phone(tab: &Tab, screen: (u32, u32)) {
    tab.phone(screen).await;
    assert_eq!(tab.ask("[innerWidth, innerHeight]").await, json!([screen.0, screen.1]));
    assert_eq!(tab.ask(SCROLLS_SIDEWAYS).await, false, "{screen:?}");
    for id in ["name", "message", "send"] {
        assert_eq!(tab.ask(&in_window(id)).await, true, "{id} on {screen:?}");
    }
    assert_eq!(tab.ask(SMALL_CONTROLS).await, Value::Array(Vec::new()), "{screen:?}");
}
