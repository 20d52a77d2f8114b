// The list of messages on the page: adds them, keeps the last few hundred, and looks after scrolling.
// It refuses to read markup: what people wrote enters by textContent only. It never moves a reader who
// scrolled up; news is announced by a button instead. It knows nothing of the connection.

const MESSAGES_MAX = 500;
const LONG_TEXT = 4_000;
// Nearer to the end than this counts as at the end, since zoom makes scroll positions fractional.
const NEAR_END_PX = 32;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });
const keepsPlaceItself = CSS.supports("overflow-anchor", "auto");

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
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    // A keyboard that slides in or a growing text box must not hide the end from one who was there.
    new ResizeObserver(() => this.#following && this.scrollToEnd()).observe(scroller);
    button.addEventListener("click", () => {
      // The button is about to vanish, and focus must not vanish with it.
      scroller.focus({ preventScroll: true });
      this.scrollToEnd();
    });
  }

  addReceived({ author, text }) {
    if (!this.#atEnd()) this.#unread += 1;
    this.#append(messageItem("received", author, text));
  }

  /** Who writes wants to see it land, so one's own message leads to the end. Returns the item. */
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
    this.#keepingPlace(() => item.querySelector(".meta").append(mark));
  }

  /** A line between messages. A flapping connection rewrites the last one instead of piling them up. */
  addNotice(text) {
    const last = this.#list.lastElementChild;
    if (!last) return;
    if (last.classList.contains("notice")) last.textContent = text;
    else this.#append(element("li", "notice", text));
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  #append(item) {
    this.#keepingPlace(() => {
      this.#list.append(item);
      while (this.#list.childElementCount > MESSAGES_MAX) this.#dropOldest();
    });
  }

  // Where the browser anchors scrolling itself, measuring here would only cost another layout.
  #dropOldest() {
    const before = keepsPlaceItself ? 0 : this.#scroller.scrollHeight;
    this.#list.firstElementChild.remove();
    if (!keepsPlaceItself) this.#scroller.scrollTop -= before - this.#scroller.scrollHeight;
  }

  // Measured before the change rather than remembered: scroll events come a frame late.
  #keepingPlace(change) {
    const wasAtEnd = this.#atEnd();
    change();
    if (wasAtEnd) this.scrollToEnd();
    else this.#look();
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #look() {
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

// A pasted book gets a window of its own, or everybody would have to scroll past it.
function makeScrollable(body) {
  body.classList.add("long");
  body.tabIndex = 0;
  body.setAttribute("role", "group");
  body.setAttribute("aria-label", "Long message");
}

// The same name has the same colour on every screen; lightness is the style sheet's, for contrast.
function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 65_521;
  // The golden angle sets names that differ by one letter far apart on the colour wheel.
  return Math.round(hash * 137.508) % 360;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
