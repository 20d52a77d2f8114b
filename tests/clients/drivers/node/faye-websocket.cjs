// faye-websocket. It sends no pings by default.

const { Client } = require("faye-websocket");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

run((job) => opened(new Client(job.url, job.offers)));
