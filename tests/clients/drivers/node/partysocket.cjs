// partysocket: its `WebSocket` over ws. A refused client tries again; here it does so no time.

const WebSocket = require("partysocket/ws").default;
const ws = require("ws");
const { run } = require("./session.cjs");
const { opened } = require("./browser.cjs");

// partysocket swallows the error of a code that ws does not take. No event follows then.
let refusal;

class Telling extends ws {
  close(code, reason) {
    try {
      super.close(code, reason);
    } catch (error) {
      refusal = error;
    }
  }
}

async function connect(job) {
  const options = { WebSocket: Telling, maxRetries: 0, connectionTimeout: 30000 };
  const socket = new WebSocket(job.url, job.offers, options);
  const client = await opened(socket);
  const close = async (code) => {
    refusal = undefined;
    const closed = client.close(code);
    if (refusal) throw refusal;
    await closed;
  };
  return { ...client, close };
}

run(connect);
