// The chat page: connects the form, the log of messages and the WebSocket.
// A message is shown as sent only after the socket has accepted it, text that cannot be sent stays in the
// text box, and the number of people online is shown only if the server has sent it.

import { Connection } from "./connection.js";
import { MessageLog } from "./log.js";
import { byteLength, cleanName, decode, encode, MESSAGE_BYTES_MAX, DEFAULT_NAME } from "./wire.js";

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

// The last message sent on the current connection; null after a reconnect.
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
  // While text is composed with an input method, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
message.addEventListener("input", () => {
  growMessage();
  showError("");
});
// Lines have another length after a phone was turned.
window.addEventListener("resize", growMessage);
nameInput.addEventListener("input", () => saveName(cleanName(nameInput.value)));
nameInput.addEventListener("change", () => (nameInput.value = cleanName(nameInput.value)));
nameInput.addEventListener("keydown", (event) => {
  // Enter moves to the text box; by default it would submit the form.
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
  lastSent = log.addSent({ author: cleanName(nameInput.value) || DEFAULT_NAME, text });
  message.value = "";
  growMessage();
  showError("");
  message.focus();
}

function onText(received) {
  const { author, text, online, isNumber } = decode(received);
  if (!isNumber) log.addReceived({ author, text });
  if (online !== null) showCount(online);
}

function onMaybeLost() {
  if (lastSent) log.markMaybeLost(lastSent);
}

function onState({ state, reason, retryAt }) {
  // If the control with the focus is hidden or disabled, the focus moves to the text box.
  const focused = document.activeElement;
  status.dataset.state = state;
  const words = { online: "Online", connecting: "Connecting…", offline: `Offline. ${reason}` };
  status.textContent = words[state];
  byId("hint").textContent = HINTS[state];
  send.disabled = state !== "online";
  // During an attempt the button stays visible, so that neither layout nor focus changes.
  if (state !== "connecting") retry.hidden = state === "online";
  retry.setAttribute("aria-disabled", String(state === "connecting"));
  if ((focused === send && send.disabled) || (focused === retry && retry.hidden)) message.focus();
  showCountdown(retryAt);
  if (state === "online") onOnline();
  // While disconnected, the number is not known.
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
  shown.title = count === null ? "" : "When you joined, or at the last message that you received";
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

// Storage may be disabled in this browser. The chat works without it.
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

/**
 * `?path=…` chooses another path of this host. It cannot choose another host. With `online` in the query the chat says
 * at once how many people there are.
 */
function endpointUrl() {
  const wanted = new URLSearchParams(location.search).get("path") ?? DEFAULT_PATH;
  const url = URL.canParse(wanted, location.href) ? new URL(wanted, location.href) : null;
  const allowed = wanted.startsWith("/") && url?.origin === location.origin;
  const chosen = allowed ? url : new URL(DEFAULT_PATH, location.href);
  chosen.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  chosen.hash = "";
  chosen.searchParams.set("online", "1");
  return chosen;
}
