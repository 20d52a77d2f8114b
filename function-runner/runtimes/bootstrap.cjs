// Runs a Node function: loads the handler once, then hands it one event after the other.
//
// Given to the interpreter as text, behind errors.cjs, and made the main module by launch.js. Needs
// nothing but the standard library. Work that a handler left running goes on between events.

const net = require("net");
const path = require("path");
const { existsSync, writeSync } = require("fs");
const { pathToFileURL } = require("url");

// Taken before the code of the function, which may replace them.
const { clearTimeout, Promise, setImmediate, setTimeout } = global;
const exit = process.exit.bind(process);
const { LONGHOLD_SECRET: secret, ...env } = process.env;
// So that no program of the function inherits it.
delete process.env.LONGHOLD_SECRET;
// What the runner puts into every environment; the rest is the user's own.
const OURS = new Set(["PATH", "HOME", "LANG", "SCF_RUNTIME", "SCF_FUNCTIONNAME",
  "SCF_FUNCTIONVERSION", "SCF_RUNTIME_API", "SCF_RUNTIME_API_PORT", "_HANDLER", "USER_CODE_ROOT",
  "TENCENTCLOUD_RUNENV", "TENCENTCLOUD_REGION", "TENCENTCLOUD_APPID", "TENCENTCLOUD_UIN",
  "TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN", "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "http_proxy", "https_proxy",
  "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]);

// The runtime API, over one connection that stays open. Nothing is shared with the HTTP clients of
// the function, so nothing that is done to them matters here. What belongs to the language itself,
// such as Array.prototype, has to stay what it is.
const socket = net.connect({ host: env.SCF_RUNTIME_API, port: env.SCF_RUNTIME_API_PORT });
socket.setNoDelay(true);
const [write, ref, unref] = ["write", "ref", "unref"].map((name) => socket[name].bind(socket));
// A connection that waits for nothing does not keep the process alive.
unref();
// What has come of an answer; null when the runner has closed the connection.
let parts = [];
let waiting = null;
const hasRunner = () => parts !== null;

function broken() {
  if (waiting) waiting.reject(new Error("the runner has closed its connection"));
  waiting = null;
  parts = null;
}
socket.on("error", broken);
socket.on("close", broken);
socket.on("data", (part) => {
  parts.push(part);
  if (waiting && waiting.missing > part.length) waiting.missing -= part.length;
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
    waiting = { resolve, reject, missing: 0 };
    if (!hasRunner()) broken();
    ref();
    write(concat([from(head), bytes]));
  });
}

// Whether this version imports modules of both kinds, and writes no warning of its own to the log.
const { version } = process;
const [major, minor] = version.slice(1).split(".").map(Number);
const IMPORTS = major > 14 || (major === 14 && minor >= 17) || (major === 12 && minor >= 22);
// How the others say that they cannot import.
const UNABLE = /^ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING$|^ERR_MISSING_DYNAMIC|Not supported/;

// Exports that are no name of a handler.
const UNNAMED = new Set(["default", "module.exports", "__esModule"]);

async function load() {
  const [, file, name] = /^(.*)\.([^.]*)$/.exec(env._HANDLER);
  const base = path.join(env.USER_CODE_ROOT, file);
  const found = [".js", ".mjs", ".cjs"].map((end) => base + end).find(existsSync);
  return handlerOf(await modules(found || `${base}.js`), name);
}

// Both kinds of modules can be imported. Node decides which kind it is, as for a program.
async function modules(file) {
  if (IMPORTS || file.endsWith(".mjs")) return imported(file);
  try {
    // As what is imported has it.
    return { default: require(file) };
  } catch (error) {
    // Of the versions that do not import well, some know what `type` in package.json says.
    if (isObject(error) && error.code === "ERR_REQUIRE_ESM") return imported(file);
    throw error;
  }
}

async function imported(file) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const isUnable = attempt(() => UNABLE.test(error.code || error.message));
    if (IMPORTS || !isUnable) throw error;
    throw new Error(`${file} is an ES module, which Node ${version} cannot load: use Node 12.22 or `
      + "newer, or write it as CommonJS (module.exports)");
  }
}

// The exported function with this name, or else the only export: module.exports = fn, or export
// default fn. What is imported has module.exports as its default export, and compilers put one
// default into the other.
function handlerOf(exported, name) {
  const inner = (form) => (form === undefined || form === null ? undefined : form.default);
  const forms = [exported, inner(exported), inner(inner(exported))];
  const has = (form) => form !== undefined && form !== null && typeof form[name] === "function";
  const named = forms.find(has);
  if (named) return { handler: named[name] };
  const all = new Set([].concat(...forms.filter(isObject).map(keys)));
  const names = [...all].filter((key) => !UNNAMED.has(key));
  const only = forms.find((form) => typeof form === "function");
  return names.length === 0 ? { handler: only, names } : { names };
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
const onIdle = () => idle && idle();

function invoke(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error == null ? resolve(value) : reject(error));
    assign(context, { done, succeed: resolve, fail: (error) => reject(or(error, "failed")) });
    let returned;
    // As in the cloud, a handler that does not answer replies null, unless it has returned something.
    idle = () => resolve(isReply(returned) ? returned : null);
    returned = handler(event, context, done);
    listen();
    if (isObject(returned) && typeof returned.then === "function") {
      idle = () => reject(new Error("the returned promise waits for something that never comes"));
      returned.then(resolve, reject);
    } else if (isReply(returned)) {
      // A handler that takes a callback replies by it.
      if (handler.length < 3) resolve(returned);
      else warnOfCallback(context.time_limit_in_ms);
    }
  });
}

// Of the invocation that is under way, if it is late.
let warning;
let hasWarned = false;

// Says once, when nearly all time is over, why there is no reply.
function warnOfCallback(limitMs) {
  if (hasWarned) return;
  warning = setTimeout(() => {
    hasWarned = true;
    attempt(() => writeSync(2, "the handler has returned a value, but it declares a callback and "
      + "has not called it: remove the third parameter, or return a promise\n"));
  }, limitMs * 0.8);
  warning.unref();
}

// A timer or an emitter is what setTimeout(…) and request.on(…) leave: a callback is to come.
function isReply(value) {
  const has = (name) => typeof value[name] === "function";
  return value !== undefined && !(isObject(value) && (has("unref") || has("on")));
}

let isDying = false;

// Something was thrown that nobody caught. Before the reply it is the reply; after it, it is logged.
async function die(thrown) {
  const status = { init: 443, invocation: 430 }[phase];
  if (!status && !isDying) attempt(() => writeSync(2, `${describe(thrown)}\n`));
  await end(status && report(status, thrown));
}

// Code may remove all listeners of the process, ours among them.
const OWN = entries({ beforeExit: onIdle, uncaughtException: die, unhandledRejection: die });
const [on, listeners] = ["on", "listeners"].map((name) => process[name].bind(process));
function listen() {
  for (const [name, own] of OWN) if (!listeners(name).includes(own)) on(name, own);
}
listen();

// Ends the process, with this answer to what is under way. The first end counts.
async function end(answer) {
  if (isDying) return;
  isDying = true;
  if (answer) await call("POST", `${phase}/error`, answer).catch(() => {});
  if (sending) await sending.catch(() => {});
  exit(1);
}

// The handler. undefined if the process ends: it cannot be loaded, or is not there.
async function start() {
  let found;
  try {
    found = await new Promise((resolve, reject) => {
      idle = () => reject(new Error("a top-level await waits for something that never comes"));
      load().then(resolve, reject);
    });
    // What the code has thrown in a rejection or setImmediate belongs to its start.
    await new Promise((resolve) => { setImmediate(resolve); });
  } catch (thrown) {
    await die(thrown);
  }
  if (isDying) return undefined;
  if (found.handler) return found.handler;
  const { names } = found;
  const exported = names.length > 0 ? `; the file exports ${names.slice(0, 10).join(", ")}` : "";
  const errorMessage = cut(`${env._HANDLER} is not an exported function${exported}`, 8192);
  await end(stringify({ statusCode: 437, errorMessage }));
}

async function main() {
  const handler = await start();
  if (isDying) return;
  idle = phase = null;
  listen();
  await call("POST", "init/ready");
  const always = staticContext();
  while (!isDying) {
    const { status, headers, body } = await call("GET", "invocation/next");
    if (status !== 200) exit(0);
    const { request_id, memory_limit_in_mb, time_limit_in_ms } = headers;
    const context = { ...always, request_id, memory_limit_in_mb: Number(memory_limit_in_mb),
      time_limit_in_ms: Number(time_limit_in_ms) };
    let answer;
    try {
      phase = "invocation";
      const value = await invoke(handler, parse(body), context);
      answer = ["response", or(stringify(value), "null")];
    } catch (thrown) {
      answer = ["error", report(430, thrown)];
    }
    clearTimeout(warning);
    if (isDying) return;
    idle = phase = null;
    sending = call("POST", `invocation/${answer[0]}`, answer[1], request_id);
    await sending;
    sending = null;
  }
}

main().catch((thrown) => {
  // A runner that has gone, or is done with this process, is no error of the function.
  if (!hasRunner()) exit(0);
  attempt(() => writeSync(2, `${describe(thrown)}\n`));
  exit(1);
});
