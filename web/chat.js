// The chat page: ties the form, the log of messages and the connection together.
// It refuses to pretend: a message shows as sent only after the socket took it, what cannot be sent
// stays in the text box, and the online count is shown only as far as the server has told it.

import { Connection } from "./connection.js";
import { MessageLog } from "./log.js";
import { byteLength, cleanName, decode, encode, MESSAGE_BYTES_MAX, NOBODY } from "./wire.js";

const DEFAULT_PATH = "/release/chat";
const NAME_KEY = "longhold.chat.name";
const HINTS = {
  online: "Enter sends, Shift+Enter makes a new line.",
  connecting: "Connecting. Your text stays here, unsent.",
  offline: "Offline. Your text stays here, unsent.",
};

const byId = (id) => document.getElementById(id);
const [composer, nameInput, message, send] = ["composer", "name", "message", "send"].map(byId);
const [status, countdown, retry] = ["status", "countdown", "retry"].map(byId);
const log = new MessageLog(byId("log"), byId("new-messages"));

// The last message of the present connection; one of an earlier connection is no longer in doubt.
let lastSent = null;
let wasOnline = false;
let countdownTimer = 0;

restoreName();
growMessage();
showCount(null);
const endpoint = endpointUrl();
byId("endpoint").textContent = endpoint.pathname;
byId("endpoint").hidden = endpoint.pathname === DEFAULT_PATH;
const connection = new Connection(endpoint, { onState, onText, onMaybeLost });

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
message.addEventListener("keydown", (event) => {
  // While an input method is composing, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
message.addEventListener("input", () => {
  growMessage();
  showError("");
});
// A phone that is turned has lines of another length.
window.addEventListener("resize", growMessage);
nameInput.addEventListener("input", () => saveName(cleanName(nameInput.value)));
nameInput.addEventListener("change", () => (nameInput.value = cleanName(nameInput.value)));
nameInput.addEventListener("keydown", (event) => {
  // Enter would submit the form; one who has just given a name wants to write next.
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  message.focus();
});
retry.addEventListener("click", () => connection.tryNow());

function submit() {
  const text = message.value.trimEnd();
  if (text.trim() === "") return;
  const wire = encode(nameInput.value, text);
  const bytes = byteLength(wire);
  if (bytes > MESSAGE_BYTES_MAX) return showError(tooLong(bytes));
  if (!connection.send(wire)) return;
  lastSent = log.addSent({ author: cleanName(nameInput.value) || NOBODY, text });
  message.value = "";
  growMessage();
  showError("");
  message.focus();
}

function onText(received) {
  const { author, text, online } = decode(received);
  log.addReceived({ author, text });
  if (online !== null) showCount(online);
}

function onMaybeLost() {
  if (lastSent) log.markMaybeLost(lastSent);
}

function onState({ state, reason, retryAt }) {
  // Whoever stands on a control that goes away is taken to the text box, not to the top of the page.
  const focused = document.activeElement;
  status.dataset.state = state;
  const words = { online: "Online", connecting: "Connecting…", offline: `Offline. ${reason}` };
  status.textContent = words[state];
  byId("hint").textContent = HINTS[state];
  send.disabled = state !== "online";
  // In between tries the button stays where it is, so that neither layout nor focus flickers.
  if (state !== "connecting") retry.hidden = state === "online";
  retry.setAttribute("aria-disabled", String(state === "connecting"));
  if ((focused === send && send.disabled) || (focused === retry && retry.hidden)) message.focus();
  showCountdown(retryAt);
  if (state === "online") onOnline();
  // Nobody counts for us while we are away.
  else showCount(null);
}

function onOnline() {
  lastSent = null;
  if (wasOnline) log.addNotice("Connected again. What others said meanwhile did not reach you.");
  wasOnline = true;
}

function showCountdown(retryAt) {
  clearInterval(countdownTimer);
  countdown.textContent = "";
  if (retryAt === undefined) return;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((retryAt - performance.now()) / 1000));
    countdown.textContent = `Next try in ${seconds} s`;
  };
  tick();
  countdownTimer = setInterval(tick, 250);
}

function showCount(count) {
  const shown = byId("online-count");
  shown.textContent = count === null ? "" : `${count} online`;
  shown.title = count === null ? "" : "As the last message from others told it";
  if (count === null) delete shown.dataset.count;
  else shown.dataset.count = count;
}

function tooLong(bytes) {
  const over = new Intl.NumberFormat("en").format(bytes - MESSAGE_BYTES_MAX);
  return `Too long to send: ${over} bytes over 1 MiB. Nothing was sent.`;
}

function showError(text) {
  byId("error").textContent = text;
  message.setAttribute("aria-invalid", String(text !== ""));
}

function growMessage() {
  message.style.height = "auto";
  // scrollHeight leaves out the borders, which the box includes.
  message.style.height = `${message.scrollHeight + message.offsetHeight - message.clientHeight}px`;
}

// Storage may be forbidden in this browser. A name that is not kept is no reason not to chat.
function restoreName() {
  try {
    nameInput.value = cleanName(localStorage.getItem(NAME_KEY) ?? "");
  } catch {}
}

function saveName(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {}
}

/** Developers may name another path of this host; a link must not lead anybody to another host. */
function endpointUrl() {
  const wanted = new URLSearchParams(location.search).get("path") ?? DEFAULT_PATH;
  const url = URL.canParse(wanted, location.href) ? new URL(wanted, location.href) : null;
  const allowed = wanted.startsWith("/") && url?.origin === location.origin;
  const chosen = allowed ? url : new URL(DEFAULT_PATH, location.href);
  chosen.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  chosen.hash = "";
  return chosen;
}
