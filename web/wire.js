// The format of a chat message: "<name>: <text>", with a suffix that the server adds.
// Pure functions over strings, which know neither the page nor the socket. No received text is rejected:
// a text that does not have the format is shown as from "someone".

export const DEFAULT_NAME = "someone";
export const MESSAGE_BYTES_MAX = 1024 * 1024;
const NAME_CHARACTERS_MAX = 40;

// Only the last suffix is from the server. A suffix that a person typed is in front of it and stays text.
const ONLINE_SUFFIX = /\(===Online people:(\d{1,9})===\)$/;

/** The name as it may be sent: one line, short, and without the separator that ends a name. */
export function cleanName(raw) {
  const oneLine = raw.replace(/[\s\p{Cc}]+/gu, " ").replaceAll(": ", " ").trim();
  return [...oneLine].slice(0, NAME_CHARACTERS_MAX).join("").trim();
}

/** A message without a name is sent with the name "someone": else "note: buy milk" would be from "note". */
export function encode(name, text) {
  return `${cleanName(name) || DEFAULT_NAME}: ${text}`;
}

export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/**
 * Returns `{ author, text, online, isNumber }`. `online` is null if the server sent no number. `isNumber` is true if it
 * sent nothing else.
 */
export function decode(received) {
  const suffix = ONLINE_SUFFIX.exec(received.slice(-64));
  const body = suffix ? received.slice(0, -suffix[0].length) : received;
  const online = suffix ? Number(suffix[1]) : null;
  return { ...splitName(body), online, isNumber: suffix !== null && body === "" };
}

function splitName(body) {
  const end = body.indexOf(": ");
  const name = end < 0 ? "" : body.slice(0, end);
  const isName = name.trim() !== "" && !name.includes("\n") && isShort(name);
  return isName ? { author: name, text: body.slice(end + 2) } : { author: DEFAULT_NAME, text: body };
}

// A character takes at most two UTF-16 units. The first check avoids spreading a very long string.
function isShort(name) {
  return name.length <= 2 * NAME_CHARACTERS_MAX && [...name].length <= NAME_CHARACTERS_MAX;
}
