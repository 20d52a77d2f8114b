// sockette over the WebSocket of undici. A refused client tries again; here it does so no time.

globalThis.WebSocket = require("undici").WebSocket;
const sockette = require("sockette");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const messages = new Messages();
  let closed;
  const ended = new Promise((resolve) => (closed = resolve));
  return new Promise((resolve, reject) => {
    const socket = sockette(job.url, {
      protocols: job.offers,
      maxAttempts: 0,
      onmessage: async ({ data }) => {
        messages.put(typeof data === "string" ? data : Buffer.from(await data.arrayBuffer()));
      },
      onerror: () => reject(new Error("an error event without a text")),
      onclose: closed,
      onopen: ({ target }) => resolve(client(socket, target, messages, ended)),
    });
  });
}

function client(socket, target, messages, ended) {
  return {
    subprotocol: target.protocol,
    send: (message) => socket.send(message),
    receive: () => messages.next(),
    close: async (code) => {
      code === undefined ? socket.close() : socket.close(code);
      await ended;
    },
  };
}

run(connect);
