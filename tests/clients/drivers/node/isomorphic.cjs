// isomorphic-ws: ws in Node, the browser's WebSocket elsewhere.

const WebSocket = require("isomorphic-ws");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

run((job) => opened(new WebSocket(job.url, job.offers)));
