// undici: its WebSocket is the one of Node. It sends no pings.

const { WebSocket } = require("undici");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

run((job) => opened(new WebSocket(job.url, job.offers)));
