// Runs a Node function: loads the handler once, then hands it one event after the other.
//
// Given to the interpreter as text, and made the main module by launch.js. The standard library is
// all it needs. Nothing is stopped between events: work that a handler left running goes on.
"use strict";

const net = require("node:net");
const path = require("node:path");
const { existsSync, writeSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { inspect, types: { isNativeError } } = require("node:util");

// The code of the function may replace all of these later.
const { Promise } = globalThis;
const { parse, stringify } = JSON;
const { concat, from } = Buffer;
const { assign, entries, fromEntries, keys } = Object;
const exit = process.exit.bind(process);
const { LONGHOLD_SECRET: secret, ...env } = process.env;
// So that no program of the function inherits it.
delete process.env.LONGHOLD_SECRET;
// What the runner puts into every environment; the rest is the user's own.
const OURS = new Set(["PATH", "HOME", "LANG", "SCF_RUNTIME", "SCF_FUNCTIONNAME",
  "SCF_FUNCTIONVERSION", "SCF_RUNTIME_API", "SCF_RUNTIME_API_PORT", "_HANDLER", "USER_CODE_ROOT",
  "TENCENTCLOUD_RUNENV", "TENCENTCLOUD_REGION", "TENCENTCLOUD_APPID", "TENCENTCLOUD_UIN"]);

// The runtime API, over one connection that stays open. Nothing is shared with the HTTP clients of
// the function, so nothing that is done to them matters here.
const socket = net.connect({ host: env.SCF_RUNTIME_API, port: env.SCF_RUNTIME_API_PORT });
socket.setNoDelay(true);
const [write, ref, unref] = ["write", "ref", "unref"].map((name) => socket[name].bind(socket));
// A connection that waits for nothing does not keep the process alive.
unref();
let parts = [];
let waiting = null;

function broken() {
  waiting?.reject(new Error("the runner has closed its connection"));
  waiting = null;
  parts = null;
}
socket.on("error", broken);
socket.on("close", broken);
socket.on("data", (part) => {
  parts.push(part);
  const missing = waiting?.missing ?? 0;
  if (waiting && missing > part.length) waiting.missing = missing - part.length;
  else if (waiting) answered(concat(parts));
});

// Goes on once all of an answer has come. The runner says the length of each.
function answered(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  parts = [bytes];
  if (end < 0) return;
  const [start, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = fromEntries(lines.map((line) => /^(.*?): *(.*)$/.exec(line).slice(1)));
  const length = end + 4 + Number(headers["content-length"]);
  waiting.missing = length - bytes.length;
  if (waiting.missing > 0) return;
  const { resolve } = waiting;
  [parts, waiting] = [[], null];
  unref();
  resolve({ status: Number(start.split(" ")[1]), headers, body: bytes.toString("utf8", end + 4) });
}

function call(method, route, body = "", requestId = undefined) {
  const bytes = from(body);
  const id = requestId === undefined ? "" : `request_id: ${requestId}\r\n`;
  const head = `${method} /runtime/${route} HTTP/1.1\r\nhost: ${env.SCF_RUNTIME_API}\r\n${id}`
    + `longhold-secret: ${secret}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    if (parts === null) broken();
    ref();
    write(concat([from(head), bytes]));
  });
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
function cut(text, longest = 60 * 1024) {
  const left = text.length - longest;
  const note = `\n… ${left} more characters …\n`;
  const half = longest / 2;
  return from(left > 0 ? text.slice(0, half) + note + text.slice(-half) : text).toString();
}

// With the stack, the causes and the properties of errors. undefined if there is no way to tell.
function describe(thrown) {
  if (typeof thrown === "string") return cut(thrown);
  const bounds = { depth: isNativeError(thrown) ? 4 : 2, maxArrayLength: 100, maxStringLength: 8192 };
  const plain = { ...bounds, depth: 0, customInspect: false, showProxy: true };
  const part = attempt(() => firstKeys(thrown)) ?? thrown;
  return cut(attempt(() => inspect(part, bounds)) ?? attempt(() => inspect(part, plain)) ?? "");
}

// An object with so many keys that its text would take all memory, with some of them.
function firstKeys(thrown) {
  if (typeof thrown !== "object" || Array.isArray(thrown)) return thrown;
  const all = keys(thrown);
  if (all.length <= 1000) return thrown;
  const some = all.slice(0, 1000).map((key) => [key, thrown[key]]);
  return fromEntries([...some, ["…", `${all.length - 1000} more keys`]]);
}

function report(statusCode, thrown) {
  const first = (...names) => names.map((name) => attempt(() => thrown[name]))
    .find((value) => typeof value === "string" && value !== "");
  const type = cut(first("name", "errorType") ?? typeof thrown, 1024);
  const message = cut(first("message", "errorMessage") ?? "", 8192);
  const stackTrace = describe(thrown) || `${type}: ${message || "there is no description of it"}`;
  const errorMessage = message || cut(stackTrace, 8192);
  return stringify({ statusCode, errorType: type, errorMessage, stackTrace });
}

async function load() {
  const [, file, name] = /^(.*)\.([^.]*)$/.exec(env._HANDLER);
  const base = path.join(env.USER_CODE_ROOT, file);
  const found = [".js", ".mjs", ".cjs"].map((end) => base + end).find(existsSync);
  // Both kinds of modules can be imported. Node decides which kind it is, as for a program.
  const exported = await import(pathToFileURL(found ?? `${base}.js`));
  return handlerOf(exported, name);
}

// The export with this name, or else the only one: module.exports = fn, export default fn. What is
// imported has module.exports as its default export, and compilers put one default into the other.
function handlerOf(exported, name) {
  const forms = [exported, exported?.default, exported?.default?.default];
  const named = forms.find((form) => form?.[name] !== undefined);
  return named ? named[name] : forms.find((form) => typeof form === "function");
}

function staticContext() {
  const own = { SCF_NAMESPACE: "default" };
  for (const [key, value] of entries(env)) if (!OURS.has(key)) own[key] = value;
  return { environment: stringify(own),
    environ: entries(own).map(([key, value]) => `${key}=${value}`).join(";"),
    function_version: env.SCF_FUNCTIONVERSION, function_name: env.SCF_FUNCTIONNAME,
    namespace: "default", tencentcloud_region: env.TENCENTCLOUD_REGION,
    tencentcloud_appid: env.TENCENTCLOUD_APPID, tencentcloud_uin: env.TENCENTCLOUD_UIN,
    callbackWaitsForEmptyEventLoop: true };
}

// What is under way: "init", "invocation", or null.
let phase = "init";
// The reply that is being sent.
let sending = null;
// What to do when nothing is left to run; null when that is not to be expected.
let idle = null;
process.on("beforeExit", () => idle?.());

function invoke(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error == null ? resolve(value) : reject(error));
    assign(context, { done, succeed: resolve, fail: (error) => reject(error ?? "failed") });
    let returned;
    // As in the cloud, a handler that does not answer replies null, unless it has returned something.
    idle = () => resolve(isReply(returned) ? returned : null);
    returned = handler(event, context, done);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    // A handler that takes a callback replies by it.
    else if (handler.length < 3 && isReply(returned)) resolve(returned);
  });
}

// A timer or an emitter is what setTimeout(…) and request.on(…) leave: a callback is to come.
function isReply(value) {
  const isHandle = typeof value?.hasRef === "function" || typeof value?.on === "function";
  return value !== undefined && !isHandle;
}

let isDying = false;

// Something was thrown that nobody caught. Before the reply it is the reply; after it, it is logged.
async function die(thrown) {
  if (isDying) return;
  isDying = true;
  const status = { init: 443, invocation: 430 }[phase];
  if (status) await call("POST", `${phase}/error`, report(status, thrown)).catch(() => {});
  else attempt(() => writeSync(2, `${describe(thrown)}\n`));
  await sending?.catch(() => {});
  exit(1);
}
process.on("uncaughtException", die);
process.on("unhandledRejection", die);

async function main() {
  let handler;
  try {
    handler = await new Promise((resolve, reject) => {
      idle = () => reject(new Error("a top-level await waits for something that never comes"));
      load().then(resolve, reject);
    });
  } catch (thrown) {
    await call("POST", "init/error", report(443, thrown));
    exit(1);
  }
  if (typeof handler !== "function") {
    const error = `${env._HANDLER} is not an exported function`;
    await call("POST", "init/error", stringify({ statusCode: 437, errorMessage: error }));
    exit(1);
  }
  idle = phase = null;
  await call("POST", "init/ready");
  const always = staticContext();
  for (;;) {
    const { status, headers, body } = await call("GET", "invocation/next");
    if (status !== 200) exit(0);
    const { request_id, memory_limit_in_mb, time_limit_in_ms } = headers;
    const context = { ...always, request_id, memory_limit_in_mb: Number(memory_limit_in_mb),
      time_limit_in_ms: Number(time_limit_in_ms) };
    let answer;
    try {
      phase = "invocation";
      const value = await invoke(handler, parse(body), context);
      answer = ["response", stringify(value) ?? "null"];
    } catch (thrown) {
      answer = ["error", report(430, thrown)];
    }
    if (isDying) return;
    idle = phase = null;
    sending = call("POST", `invocation/${answer[0]}`, answer[1], request_id);
    await sending;
    sending = null;
  }
}

// The runner has gone, or is done with this process.
main().catch(() => exit(0));
