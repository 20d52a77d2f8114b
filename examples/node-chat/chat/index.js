// The chat as three handlers: a message of one client is sent to all others.
"use strict";

const { mkdirSync } = require("node:fs");
const { readdir, rm, writeFile } = require("node:fs/promises");
const path = require("node:path");

// One file for each open connection. The functions run in different processes, so shared data must be
// outside of them: here in a folder, in production in an object store.
const ROSTER = process.env.ROSTER;
mkdirSync(ROSTER, { recursive: true });
const entry = (id) => path.join(ROSTER, id);
const ok = { errNo: 0, errMsg: "ok" };

async function push(websocket) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ websocket });
  const response = await fetch(process.env.url, { method: "POST", headers, body });
  return response.json();
}

exports.register = async ({ websocket, queryString = {} }) => {
  const { secConnectionID, secWebSocketProtocol = "" } = websocket;
  await writeFile(entry(secConnectionID), "");
  // The page asks for this. The gateway holds the message until the connection is open.
  if ("online" in queryString) {
    const data = `(===Online people:${(await readdir(ROSTER)).length}===)`;
    const message = { action: "data send", secConnectionID, dataType: "text", data };
    await push(message).catch((error) => console.log("number of people not sent", error));
  }
  const reply = { action: "connecting", secConnectionID };
  const [offered] = secWebSocketProtocol.split(",");
  if (offered.trim()) reply.secWebSocketProtocol = offered.trim();
  return { ...ok, websocket: reply };
};

exports.transmit = async ({ websocket }) => {
  const { secConnectionID, dataType, data } = websocket;
  const online = await readdir(ROSTER);
  const others = online.filter((id) => id !== secConnectionID);
  if (others.length > 0) {
    const text = dataType === "text" ? `${data}(===Online people:${online.length}===)` : data;
    const message = { action: "data send", secConnectionIDs: others, dataType, data: text };
    for (const failed of (await push(message)).failed ?? []) {
      console.log("not delivered", failed);
      if (failed.errNo === 410) await rm(entry(failed.secConnectionID), { force: true });
    }
  }
  return ok;
};

exports.cleanup = async ({ websocket }) => {
  await rm(entry(websocket.secConnectionID), { force: true });
  return ok;
};
