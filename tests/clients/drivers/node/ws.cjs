// ws. It sends no pings by default.

const WebSocket = require("ws");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

run((job) => opened(new WebSocket(job.url, job.offers)));
