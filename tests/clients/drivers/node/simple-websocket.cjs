// simple-websocket: a WebSocket as a stream, over ws. It offers no subprotocols, and closes without a code.

const Socket = require("simple-websocket");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const socket = new Socket(job.url);
  const messages = new Messages();
  // Texts come as bytes too.
  const texts = [];
  socket.on("data", (data) => messages.put(texts.shift() ? data.toString() : Buffer.from(data)));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const send = (message) => {
    texts.push(typeof message === "string");
    socket.send(message);
  };
  const close = async (code) => {
    if (code !== undefined) throw new Error("a stream has no code");
    socket.destroy();
    await closed;
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connect", () => resolve({ send, receive: () => messages.next(), close }));
  });
}

run(connect);
