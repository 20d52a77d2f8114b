// jsdom: the WebSocket of its window.

const { JSDOM } = require("jsdom");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

const { window } = new JSDOM("", { url: "http://localhost/" });
run((job) => opened(new window.WebSocket(job.url, job.offers)));
