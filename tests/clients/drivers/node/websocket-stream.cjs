// websocket-stream: a WebSocket as a stream of Node, over a ws of its own. A stream has no texts and no codes.

const stream = require("websocket-stream");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const socket = stream(job.url, job.offers, { objectMode: true });
  const messages = new Messages();
  // Texts come as bytes too.
  const texts = [];
  socket.on("data", (data) => messages.put(texts.shift() ? data.toString() : Buffer.from(data)));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const close = async (code) => {
    if (code !== undefined) throw new Error("a stream has no code");
    socket.end();
    await closed;
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connect", () => {
      const send = (message) => {
        texts.push(typeof message === "string");
        socket.write(message);
      };
      resolve({ subprotocol: socket.socket.protocol, send, receive: () => messages.next(), close });
    });
  });
}

run(connect);
