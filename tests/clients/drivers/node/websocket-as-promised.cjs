// websocket-as-promised over the `w3cwebsocket` of websocket.

const WebSocketAsPromised = require("websocket-as-promised");
const { w3cwebsocket } = require("websocket");
const { run, Messages } = require("./session.cjs");

async function connect(job) {
  const socket = new WebSocketAsPromised(job.url, {
    createWebSocket: (url) => new w3cwebsocket(url, job.offers),
  });
  const messages = new Messages();
  socket.onMessage.addListener((data) => messages.put(typeof data === "string" ? data : Buffer.from(data)));
  await socket.open();
  return {
    subprotocol: socket.ws.protocol,
    send: (message) => socket.send(message),
    receive: () => messages.next(),
    close: (code) => socket.close(code),
  };
}

run(connect);
