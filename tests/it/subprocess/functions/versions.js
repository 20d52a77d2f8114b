// Has no syntax that is newer than Node 10.
const http = require("http");
const https = require("https");
const url = require("url");

let count = 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const post = (to, body) => new Promise((resolve, reject) => {
  const { protocol, hostname, port, pathname } = new url.URL(to);
  const { request } = protocol === "https:" ? https : http;
  const headers = { "content-length": Buffer.byteLength(body) };
  const sent = request({ host: hostname, port, path: pathname, method: "POST", headers }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; });
    answer.on("end", () => resolve([answer.statusCode, JSON.parse(text)]));
  });
  sent.on("error", reject);
  sent.end(body);
});

const acts = {
  echo: async (event) => event,
  log: async ({ text }) => {
    console.log("printed", text);
    console.error("written", text);
    process.stdout.write(`logged ${text}\n`);
  },
  add: async () => {
    count += 1;
    return count;
  },
  fail: async () => {
    await sleep(1);
    const cause = Object.assign(new Error("the cause"), { code: "ECAUSE" });
    throw Object.assign(new Error("no luck"), { cause, password: "hidden", long: "x".repeat(3000) });
  },
  push: async ({ text }) => post(process.env.url, text),
  ask: async (event) => post(event.url, event.text),
  eat: async () => {
    const hoard = [];
    for (;;) {
      hoard.push(Buffer.alloc(1 << 20, 1));
      await sleep(1);
    }
  },
  // Nobody catches it, and the handler goes on.
  neglect: async () => {
    Promise.reject(new Error("neglected"));
    await sleep(1000000);
  },
  fetch: async (event) => {
    if (typeof fetch === "undefined") return "none";
    return (await fetch(event.url, { method: "POST", body: event.text })).status;
  },
  tell: async (event, context) => ({
    version: process.versions.node.split(".")[0],
    hidden: Object.keys(process.env).filter((key) => key.includes("LONGHOLD")),
    // What Node gives to a program that is a text, and not to a file.
    left: ["fs", "require", "module"].filter((name) => name in global),
    main: require.main.filename === `${process.env.USER_CODE_ROOT}/longhold.cjs`,
    remaining: context.time_limit_in_ms,
  }),
};

exports.main_handler = (event, context) => acts[event.do](event, context);

exports.callback = (event, context, callback) => {
  if (event.do === "timer") return setTimeout(() => callback(null, event), 10);
  if (event.do === "error") return callback(new Error("no luck"));
  return callback(null, event);
};
