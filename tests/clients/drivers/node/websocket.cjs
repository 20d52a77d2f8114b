// websocket: its `client`. It sends no pings by default.

const WebSocketClient = require("websocket").client;
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const client = new WebSocketClient();
  return new Promise((resolve, reject) => {
    client.on("connectFailed", reject);
    client.on("connect", (connection) => resolve(connected(connection)));
    client.connect(job.url, job.offers);
  });
}

function connected(connection) {
  const messages = new Messages();
  const closed = new Promise((resolve) => connection.on("close", resolve));
  connection.on("message", ({ type, utf8Data, binaryData }) => {
    messages.put(type === "utf8" ? utf8Data : binaryData);
  });
  connection.on("error", (error) => messages.fail(error));
  return {
    subprotocol: connection.protocol,
    send: (message) => connection.send(message),
    receive: () => messages.next(),
    close: async (code) => {
      connection.close(code);
      await closed;
    },
  };
}

run(connect);
