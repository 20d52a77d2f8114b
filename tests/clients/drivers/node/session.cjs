// The loop of a driver in JavaScript: reads jobs, does each with the library's `connect`, and writes results.
//
// `connect(job)` resolves to an object with `subprotocol`, `send(message)`, `receive()` and
// `close(code)`; `code` is undefined for the library's default. Messages are strings and `Buffer`s.

const readline = require("node:readline");

const TEXT = "grüße, 世界 🌍";
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const SECONDS = 30;

async function run(connect) {
  // Some libraries throw where nobody can catch. The step of the job that runs fails with the error.
  process.on("uncaughtException", (error) => {
    console.error(error);
    fail(error);
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [url, offers, idle, scale, code] = line.split("\t");
    await report(connect, {
      url,
      offers: offers ? offers.split(",") : [],
      idle: Number(idle),
      scale: Number(scale),
      code: code ? Number(code) : undefined,
    });
  }
  process.exit(0);
}

async function report(connect, job) {
  const progress = { step: "connect" };
  try {
    const subprotocol = await perform(connect, job, progress);
    write("ok", subprotocol || "");
  } catch (error) {
    const text = `${error?.name}: ${error?.message ?? error}`.replace(/\s+/g, " ");
    write("failed", progress.step, error?.status ?? "", text);
  }
}

async function perform(connect, job, progress) {
  const client = await within(connect(job));
  progress.step = "echo";
  await echo(client);
  if (job.idle) {
    progress.step = "idle";
    await new Promise((resolve) => setTimeout(resolve, job.idle * 1000));
    await echo(client);
  }
  progress.step = "close";
  await within(client.close(job.code));
  return client.subprotocol;
}

async function echo(client) {
  for (const message of [TEXT, BINARY]) {
    // A copy, since websocket13 masks the bytes in place.
    await client.send(typeof message === "string" ? message : Buffer.from(message));
    const received = await within(client.receive());
    const same = typeof message === "string" ? received === message : BINARY.equals(received);
    if (!same) throw new Error(`${received} came back`);
  }
}

let fail = () => {};

function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error(`nothing came within ${SECONDS} s`)), SECONDS * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function write(...fields) {
  process.stdout.write(fields.join("\t") + "\n");
}

// Messages that have come, and those who wait for one.
class Messages {
  #come = [];
  #waiting = [];
  #error;

  put(message) {
    const next = this.#waiting.shift();
    next ? next.resolve(message) : this.#come.push(message);
  }

  fail(error) {
    this.#error = error;
    for (const next of this.#waiting.splice(0)) next.reject(error);
  }

  next() {
    if (this.#come.length) return Promise.resolve(this.#come.shift());
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}

module.exports = { run, Messages };
