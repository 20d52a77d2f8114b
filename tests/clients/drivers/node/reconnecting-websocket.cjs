// reconnecting-websocket over ws. A refused client tries again; here it does so no time.

const ReconnectingWebSocket = require("reconnecting-websocket");
const ws = require("ws");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

const options = { WebSocket: ws, maxRetries: 0, connectionTimeout: 30000 };
run((job) => opened(new ReconnectingWebSocket(job.url, job.offers, options)));
