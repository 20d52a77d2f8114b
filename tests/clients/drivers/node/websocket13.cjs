// websocket13. It pings after 10 s in which nothing came, and waits 10 s for the answer.

const { WebSocket } = require("websocket13");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const pings = { pingInterval: 10000 / job.scale, pingTimeout: 10000 / job.scale };
  const socket = new WebSocket(job.url, { protocols: job.offers, ...pings });
  const messages = new Messages();
  const closed = new Promise((resolve) => {
    socket.on("disconnected", resolve);
    socket.on("error", resolve);
  });
  socket.on("message", (type, data) => messages.put(data));
  const close = async (code) => {
    code === undefined ? socket.disconnect() : socket.disconnect(code);
    await closed;
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connected", () => {
      const send = (message) => socket.send(message);
      resolve({ subprotocol: socket.protocol, send, receive: () => messages.next(), close });
    });
  });
}

run(connect);
