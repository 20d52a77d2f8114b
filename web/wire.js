// The wire convention of the chat: what a message looks like as the one string that travels.
// Pure functions over strings. It refuses to touch the page or the socket, and it never rejects what
// others sent: a text that does not follow the convention is simply from "someone".

export const NOBODY = "someone";
export const MESSAGE_BYTES_MAX = 1024 * 1024;
const NAME_CHARACTERS_MAX = 40;

// Only the last suffix is the server's. One that a person typed stands before it and stays text.
const ONLINE_SUFFIX = /\(===Online people:(\d{1,9})===\)$/;

/** The name as it may travel: one line, short, and without the separator that ends a name. */
export function cleanName(raw) {
  const oneLine = raw.replace(/[\s\p{Cc}]+/gu, " ").replaceAll(": ", " ").trim();
  return [...oneLine].slice(0, NAME_CHARACTERS_MAX).join("").trim();
}

/** A nameless message gets a name all the same, or "note: buy milk" would arrive as from "note". */
export function encode(name, text) {
  return `${cleanName(name) || NOBODY}: ${text}`;
}

export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/** Returns `{ author, text, online }`; `online` is null when the server did not say. */
export function decode(received) {
  const suffix = ONLINE_SUFFIX.exec(received.slice(-64));
  const body = suffix ? received.slice(0, -suffix[0].length) : received;
  return { ...splitName(body), online: suffix ? Number(suffix[1]) : null };
}

function splitName(body) {
  const end = body.indexOf(": ");
  const name = end < 0 ? "" : body.slice(0, end);
  const isName = name.trim() !== "" && !name.includes("\n") && isShort(name);
  return isName ? { author: name, text: body.slice(end + 2) } : { author: NOBODY, text: body };
}

// A character takes at most two UTF-16 units; the first test spares us from spreading a megabyte.
function isShort(name) {
  return name.length <= 2 * NAME_CHARACTERS_MAX && [...name].length <= NAME_CHARACTERS_MAX;
}
