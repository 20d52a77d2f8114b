// One WebSocket that comes back: it connects, says which state it is in, and tries again when it ends.
// It refuses to queue: what cannot be written now is the caller's to keep, since a message that waits
// here would look sent. It knows neither the page nor what a message means.

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
// A connection that lived this long was a good one, and the next failure starts from the shortest wait.
const STABLE_MS = 10_000;
// Longer than a register function may take, because the handshake waits for it.
const HANDSHAKE_MS = 20_000;

const REASONS = {
  1000: "The server ended the connection.",
  1001: "The server went away, or found this connection idle.",
  1008: "A limit of the server was reached.",
  1009: "The last message was too big for the server.",
  1011: "A function failed; your last message may be lost.",
  1013: "The server is busy.",
};

/** Between half and all of a doubling ceiling: never at once, and never all clients together. */
export function retryDelayMs(failures, random = Math.random()) {
  const ceiling = Math.min(RETRY_MS_MAX, 2 * RETRY_MS_MIN * 2 ** failures);
  return (ceiling / 2) * (1 + random);
}

export class Connection {
  #url;
  #listener;
  #socket = null;
  #state = "offline";
  #failures = 0;
  // One timer is enough: connecting waits for a deadline, online for stability, offline for the retry.
  #timer = 0;

  /** `listener` has `onState({ state, reason, retryAt })`, `onText(text)` and `onMaybeLost()`. */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
    window.addEventListener("online", () => this.#networkCame());
    window.addEventListener("offline", () => this.#networkWent());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.tryNow();
    });
    this.#attempt();
  }

  /** Does nothing while an attempt is under way, so that impatience does not open many connections. */
  tryNow() {
    if (this.#state === "offline") this.#attempt();
  }

  /** True if the socket took the text. A closing socket would swallow it without a word. */
  send(text) {
    if (this.#state !== "online" || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  #attempt() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#enter({ state: "connecting" });
    this.#after(HANDSHAKE_MS, () => this.#abandon("The server did not answer."));
    // An abandoned socket may still speak; whoever is not the current one is not heard.
    const on = (type, act) =>
      socket.addEventListener(type, (event) => socket === this.#socket && act(event));
    on("open", () => this.#opened());
    on("message", ({ data }) => this.#listener.onText(describe(data)));
    on("close", ({ code }) => this.#closed(code));
  }

  #opened() {
    this.#after(STABLE_MS, () => (this.#failures = 0));
    this.#enter({ state: "online" });
  }

  #closed(code) {
    // A browser reports a refused handshake and a cut line alike (1006); only we know which it was.
    const wasOpen = this.#state === "online";
    const silent = wasOpen ? "The connection was lost." : "The server is not reachable.";
    // "Try again later" is a request: the waits start where an ordinary failure gets after two.
    if (code === 1013) this.#failures = Math.max(this.#failures, 2);
    this.#wait(navigator.onLine ? (REASONS[code] ?? silent) : "This device has no network.", code);
  }

  #abandon(reason) {
    this.#socket.close();
    this.#wait(reason);
  }

  #wait(reason, code) {
    // Bytes that the browser still holds never left; 1009 and 1011 say that the last message failed.
    const lost = code === 1009 || code === 1011 || this.#socket.bufferedAmount > 0;
    this.#socket = null;
    if (lost) this.#listener.onMaybeLost();
    const delay = retryDelayMs(this.#failures++);
    this.#after(delay, () => this.#attempt());
    this.#enter({ state: "offline", reason, retryAt: performance.now() + delay });
  }

  // An attempt that began without a network may hang until its deadline; a fresh one need not.
  #networkCame() {
    if (this.#state === "connecting") this.#abandon("The network changed.");
    this.tryNow();
  }

  // A socket on a dead network stays "open" for minutes. A new connection is the only proof of life.
  #networkWent() {
    if (this.#state === "online") this.#abandon("This device has no network.");
  }

  #enter(change) {
    this.#state = change.state;
    this.#listener.onState(change);
  }

  #after(ms, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }
}

// The chat is text. Binary from some other client is announced rather than dropped in silence.
function describe(data) {
  return typeof data === "string" ? data : `[binary message, ${data.size} bytes]`;
}
