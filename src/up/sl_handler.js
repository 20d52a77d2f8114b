// Runs a function of the component "websocket": one file says on(event, …) for each event, and this
// handler calls what it said. Runs on Node from 10 on, with nothing but the standard library.

"use strict";

const http = require("http");
const https = require("https");
const path = require("path");

// What the file calls the events, and what the gateway calls them. "close" is what people write for
// "disconnect".
const EVENTS = new Map([
  ["connect", "connecting"],
  ["message", "data send"],
  ["disconnect", "closing"],
  ["close", "closing"],
  ["default", "default"],
]);

const listeners = new Map();

// The file has it without an import.
global.on = (name, listener) => {
  const action = EVENTS.get(name);
  if (action === undefined) {
    throw new Error(`on: ${name} is no event; use ${[...EVENTS.keys()].join(", ")}`);
  }
  listeners.set(action, listener);
};

require(path.resolve(__dirname, process.env.SLS_ENTRY_FILE || "sls.js"));

// Sends `data` to the connection. Fails if the gateway cannot be asked. That the connection is gone
// is no failure.
function send(id, data) {
  const text = typeof data === "string" ? data : JSON.stringify(data === undefined ? "" : data);
  const body = JSON.stringify({
    websocket: { action: "data send", secConnectionID: id, dataType: "text", data: text },
  });
  const { request } = process.env.wsBackUrl.startsWith("https:") ? https : http;
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const asked = request(process.env.wsBackUrl, { method: "POST", headers }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

// A message is parsed if it is JSON. Other events have none.
function dataOf({ action, data }) {
  if (action !== "data send") return null;
  try {
    return JSON.parse(data);
  } catch (error) {
    return data;
  }
}

exports.handler = async (event) => {
  const { websocket } = event;
  const { action, secConnectionID } = websocket;
  const socket = {
    id: secConnectionID,
    event,
    send: (data, id) => send(id || secConnectionID, data),
  };
  const listener = listeners.get(action) || listeners.get("default");
  const data = listener ? await listener(dataOf(websocket), socket) : undefined;
  return {
    errNo: 0,
    errMsg: "ok",
    data: data === undefined ? "" : data,
    websocket: { action, secConnectionID },
  };
};
