// websocket-ts over the WebSocket of undici.

globalThis.WebSocket = require("undici").WebSocket;
const { WebsocketBuilder } = require("websocket-ts");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const messages = new Messages();
  return new Promise((resolve, reject) => {
    const builder = new WebsocketBuilder(job.url)
      .onMessage((_, { data }) => messages.put(typeof data === "string" ? data : Buffer.from(data)))
      .onError(() => reject(new Error("an error event without a text")))
      .onOpen((socket) => resolve(client(socket, messages)));
    if (job.offers.length) builder.withProtocols(job.offers);
    builder.build().binaryType = "arraybuffer";
  });
}

function client(socket, messages) {
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  return {
    subprotocol: socket.underlyingWebsocket.protocol,
    send: (message) => socket.send(message),
    receive: () => messages.next(),
    close: async (code) => {
      socket.close(code);
      await closed;
    },
  };
}

run(connect);
