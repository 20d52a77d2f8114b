// A WebSocket that reconnects: it connects, reports its state, and tries again when it ends.
// It has no queue: a message that cannot be written now is kept by the caller, because a queued message
// would look sent. It knows neither the page nor the format of messages.

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
// A connection that was open this long counts as stable: after its end the delays start at the minimum.
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

/** A random delay between half and all of a maximum that doubles, so that clients do not all retry at once. */
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
  // One timer for all states. Connecting: the deadline. Online: the time until stable. Offline: the retry.
  #timer = 0;

  /** `listener` has `onState({ state, reason, retryAt })`, `onText(text)` and `onMaybeLost()`. */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
    window.addEventListener("online", () => this.#networkOnline());
    window.addEventListener("offline", () => this.#networkOffline());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.tryNow();
    });
    this.#attempt();
  }

  /** Does nothing while an attempt is in progress, so that repeated clicks do not open many connections. */
  tryNow() {
    if (this.#state === "offline") this.#attempt();
  }

  /** True if the socket accepted the text. A closing socket would drop the text silently. */
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
    // An abandoned socket may still have events. Only events of the current socket are handled.
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
    // A browser reports 1006 both for a refused handshake and for a broken connection. The state tells
    // which one it was.
    const wasOpen = this.#state === "online";
    const silent = wasOpen ? "The connection was lost." : "The server is not reachable.";
    // 1013 means "try again later": the delay is at least the one after two failures.
    if (code === 1013) this.#failures = Math.max(this.#failures, 2);
    this.#wait(navigator.onLine ? (REASONS[code] ?? silent) : "This device has no network.", code);
  }

  #abandon(reason) {
    this.#socket.close();
    this.#wait(reason);
  }

  #wait(reason, code) {
    // Buffered bytes were never sent. 1009 and 1011 mean that the last message failed.
    const lost = code === 1009 || code === 1011 || this.#socket.bufferedAmount > 0;
    this.#socket = null;
    if (lost) this.#listener.onMaybeLost();
    const delay = retryDelayMs(this.#failures++);
    this.#after(delay, () => this.#attempt());
    this.#enter({ state: "offline", reason, retryAt: performance.now() + delay });
  }

  // An attempt that began without a network may hang until its deadline, so a new one is started.
  #networkOnline() {
    if (this.#state === "connecting") this.#abandon("The network changed.");
    this.tryNow();
  }

  // Without a network a socket stays "open" for minutes. Only a new connection shows that the network works.
  #networkOffline() {
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

// The page shows text only. For a binary message of another client it shows a note.
function describe(data) {
  return typeof data === "string" ? data : `[binary message, ${data.size} bytes]`;
}
