// The WebSocket of the runtime itself: of Node, Bun or Deno.

const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

run((job) => opened(new WebSocket(job.url, job.offers)));
