// What is told of an error, to the caller and to the log.
//
// The runner puts this text before that of bootstrap.cjs. An error may hold the request that failed,
// with its headers and its body, so other errors are the only objects in it that are shown.
//
// All of the text runs on Node 10 and newer, so it has no newer syntax.
"use strict";

const { inspect, types: { isNativeError } } = require("util");

// The code of the function may replace all of these later.
const { Error } = global;
const { isArray } = Array;
const { concat, from } = Buffer;
const { isView } = ArrayBuffer;
const { assign, defineProperty, entries, getOwnPropertyDescriptor, keys } = Object;
const { parse, stringify } = JSON;
const { max, min } = Math;

// Values of keys with such names are not shown.
const SECRET = new RegExp(
  "api.?key|auth$|authori[sz]ation|cookie|credential|header|jwt|passphrase|passw|private.?key|pwd" +
    "|secret|session|token",
  "i",
);
const HIDDEN = "…";
const KEYS_MAX = 100;
const ERRORS_MAX = 10;
// The longest description. While it is made, errors may have twice as much, and each counts as so
// much at least: there may be any number of them, and they may be in each other.
const LONGEST = 60 * 1024;
const ERROR_LEAST = 1024;
const STRING_MAX = 1024;
const BOUNDS = { depth: 4, maxArrayLength: KEYS_MAX + 1, maxStringLength: STRING_MAX };

// Object.fromEntries, which Node 10 does not have.
function fromEntries(pairs) {
  const object = {};
  // Not an assignment: a key may be __proto__.
  for (const [key, value] of pairs) {
    defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  }
  return object;
}

// The first of `values` that is there, or else the last one.
function or(...values) {
  const found = values.find((value) => value !== undefined && value !== null);
  return found === undefined ? values[values.length - 1] : found;
}

// The value that `make` returns; undefined if it throws. For all that may run code of the function:
// a getter, a proxy, a toString.
function attempt(make) {
  try {
    return make();
  } catch {
    return undefined;
  }
}

// Bounded, and without halves of surrogate pairs, which are no JSON for others.
function cut(text, longest = LONGEST) {
  const left = text.length - longest;
  const note = `\n… ${left} more characters …\n`;
  const half = longest / 2;
  return from(left > 0 ? text.slice(0, half) + note + text.slice(-half) : text).toString();
}

// The error that is reported to the runner.
function report(statusCode, thrown) {
  const first = (...names) => names.map((name) => attempt(() => thrown[name]))
    .find((value) => typeof value === "string" && value !== "");
  const type = cut(or(first("name", "errorType"), typeof thrown), 1024);
  const message = cut(or(first("message", "errorMessage"), ""), 8192);
  const stackTrace = describe(thrown) || `${type}: ${message || "there is no description of it"}`;
  const errorMessage = message || cut(stackTrace, 8192);
  return stringify({ statusCode, errorType: type, errorMessage, stackTrace });
}

// How many characters of errors the description that is being made may still have.
let room = 0;

// Empty if there is no way to tell.
function describe(thrown) {
  room = 2 * LONGEST;
  if (typeof thrown === "string") return cut(thrown);
  const text = attempt(() => textOf(thrown, 4, 2));
  return cut(or(text === undefined ? attempt(() => shallow(thrown)) : text, ""));
}

// `causes` and `levels` say how many levels of errors and of other objects are shown.
function textOf(value, causes, levels) {
  return isError(value) ? textOfError(value, causes) : inspect(part(value, causes, levels), BOUNDS);
}

function isError(value) {
  return isNativeError(value) || value instanceof Error;
}

// The stack, the properties that are no objects, the cause, and the errors of an AggregateError.
function textOfError(error, causes) {
  if (room <= 0) return HIDDEN;
  const texts = [];
  for (const key of keys(error).slice(0, KEYS_MAX)) {
    const { value } = getOwnPropertyDescriptor(error, key);
    const isShown = !isObject(value) && value !== undefined;
    if (!isShown || ["stack", "message", "cause"].includes(key)) continue;
    texts.push(`${key}: ${inspect(SECRET.test(key) ? HIDDEN : short(value), BOUNDS)}`);
  }
  const stack = stackOf(error);
  room -= max(ERROR_LEAST, stack.length + texts.join().length);
  const inner = (value, left) => or(attempt(() => textOf(value, left, 1)), HIDDEN);
  if (causes > 0 && getOwnPropertyDescriptor(error, "cause")) {
    texts.push(`[cause]: ${inner(attempt(() => error.cause), causes - 1)}`);
  }
  const errors = attempt(() => error.errors);
  if (causes > 1 && isArray(errors)) {
    const some = errors.slice(0, ERRORS_MAX).map((each) => `[errors]: ${inner(each, causes - 2)}`);
    const left = errors.length - some.length;
    texts.push(...some, ...(left > 0 ? [`… ${left} more errors`] : []));
  }
  return [stack, ...texts.map((text) => text.replace(/\n/g, "\n  "))].join("\n  ");
}

// The stack has the message that the error had when it was made.
function stackOf(error) {
  const [name, message, stack] = ["name", "message", "stack"].map((key) => {
    const value = attempt(() => error[key]);
    return typeof value === "string" ? cut(value) : "";
  });
  const head = message ? `${name || "Error"}: ${message}` : name || "Error";
  if (!stack) return head;
  return stack.includes(message) ? stack : `${head}\n${stack}`;
}

function isObject(value) {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

// What `inspect` shows of a value: the first keys, so many levels of them, and nothing secret. An
// error in it is shown with its cause, if one more level of causes is left.
function part(value, causes, levels) {
  if (!isObject(value)) return short(value);
  if (isError(value)) return asIs(textOfError(value, min(causes, 1)));
  if (levels === 0 || typeof value === "function" || isView(value)) return asIs(shallow(value));
  const inner = (each) => {
    return isObject(each) ? attempt(() => part(each, causes, levels - 1)) : short(each);
  };
  if (isArray(value)) {
    const left = value.length - KEYS_MAX;
    const items = value.slice(0, KEYS_MAX).map(inner);
    // Pairs are arrays too, as those of headers, and so is a list of names and values in turn.
    items.forEach((_, at) => {
      if (at > 0 && isSecretName(value[at - 1])) items[at] = HIDDEN;
    });
    return left > 0 ? [...items, asIs(`… ${left} more items`)] : items;
  }
  const all = keys(value);
  if (all.length === 0) return asIs(shallow(value));
  const some = all.slice(0, KEYS_MAX).map((key) => {
    const { get, value: own } = getOwnPropertyDescriptor(value, key);
    if (get) return [key, asIs("[Getter]")];
    return [key, SECRET.test(key) ? HIDDEN : inner(own)];
  });
  const left = all.length - some.length;
  return fromEntries(left > 0 ? [...some, [HIDDEN, asIs(`${left} more keys`)]] : some);
}

// Not left to `inspect`: Node 10 and 12 show strings whole.
function short(value) {
  const left = typeof value === "string" ? value.length - STRING_MAX : 0;
  if (left <= 0) return value;
  return asIs(`${inspect(value.slice(0, STRING_MAX))}... ${left} more characters`);
}

function isSecretName(value) {
  return typeof value === "string" && !value.includes(" ") && SECRET.test(value);
}

// Its kind, and its value if that is no object with keys of its own.
function shallow(value) {
  return inspect(value, { ...BOUNDS, depth: -1, customInspect: false });
}

function asIs(text) {
  return { [inspect.custom]: () => text };
}

