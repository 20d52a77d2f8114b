// The list of messages on the page: adds messages, keeps the last few hundred, and scrolls.
// Text of people is set by textContent only, never as markup. A reader who has scrolled up is not moved;
// a button shows the number of new messages instead. It knows nothing of the connection.

const MESSAGES_MAX = 500;
const LONG_TEXT = 4_000;
// A position nearer to the end than this counts as the end, because zoom makes positions fractional.
const NEAR_END_PX = 32;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });
const browserAnchorsScroll = CSS.supports("overflow-anchor", "auto");

export class MessageLog {
  #scroller;
  #list;
  #button;
  #following = true;
  #unread = 0;

  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#list = scroller.querySelector("ol");
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#update(), { passive: true });
    // A reader at the end stays there when a keyboard or a growing text box makes the list smaller.
    new ResizeObserver(() => this.#following && this.scrollToEnd()).observe(scroller);
    button.addEventListener("click", () => {
      // The button will be hidden, so the focus moves to the list.
      scroller.focus({ preventScroll: true });
      this.scrollToEnd();
    });
  }

  addReceived({ author, text }) {
    if (!this.#atEnd()) this.#unread += 1;
    this.#append(messageItem("received", author, text));
  }

  /** Adds a message of this person and scrolls to the end. Returns the item. */
  addSent({ author, text }) {
    const item = messageItem("sent", author, text);
    item.dataset.messageState = "sent";
    this.#append(item);
    this.scrollToEnd();
    return item;
  }

  markMaybeLost(item) {
    if (item.dataset.messageState === "maybe-lost") return;
    item.dataset.messageState = "maybe-lost";
    const mark = element("span", "state", "may be lost");
    this.#keepPosition(() => item.querySelector(".meta").append(mark));
  }

  /** Adds a line between messages. If the last line is already a notice, it is replaced. */
  addNotice(text) {
    const last = this.#list.lastElementChild;
    if (!last) return;
    if (last.classList.contains("notice")) last.textContent = text;
    else this.#append(element("li", "notice", text));
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#update();
  }

  #append(item) {
    this.#keepPosition(() => {
      this.#list.append(item);
      while (this.#list.childElementCount > MESSAGES_MAX) this.#dropOldest();
    });
  }

  // If the browser anchors scrolling itself, the height is not measured, which would cost another layout.
  #dropOldest() {
    const before = browserAnchorsScroll ? 0 : this.#scroller.scrollHeight;
    this.#list.firstElementChild.remove();
    if (!browserAnchorsScroll) this.#scroller.scrollTop -= before - this.#scroller.scrollHeight;
  }

  // The position is measured before the change, because scroll events come a frame late.
  #keepPosition(change) {
    const wasAtEnd = this.#atEnd();
    change();
    if (wasAtEnd) this.scrollToEnd();
    else this.#update();
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #update() {
    this.#following = this.#atEnd();
    if (this.#following) this.#unread = 0;
    this.#button.hidden = this.#unread === 0;
    const count = this.#unread;
    this.#button.textContent = count === 1 ? "1 new message" : `${count} new messages`;
  }
}

function messageItem(kind, author, text) {
  const name = element("bdi", "author", author);
  name.dir = "auto";
  name.style.setProperty("--hue", hueOf(author));
  const meta = element("div", "meta");
  meta.append(name, timeElement(new Date()));
  const body = element("div", "text", text);
  body.dir = "auto";
  if (text.length > LONG_TEXT) makeScrollable(body);
  const item = element("li", `message ${kind}`);
  item.append(meta, body);
  return item;
}

function timeElement(date) {
  const time = element("time", "", clock.format(date));
  time.dateTime = date.toISOString();
  time.title = calendar.format(date);
  return time;
}

// A very long text gets its own scroll area, so that readers need not scroll past it.
function makeScrollable(body) {
  body.classList.add("long");
  body.tabIndex = 0;
  body.setAttribute("role", "group");
  body.setAttribute("aria-label", "Long message");
}

// The same name has the same hue on every screen. The style sheet sets the lightness, for contrast.
function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 65_521;
  // Multiplied by the golden angle, so that similar names get different hues.
  return Math.round(hash * 137.508) % 360;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
