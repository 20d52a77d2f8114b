// websocket: its `w3cwebsocket`. It sends no pings by default.

const { w3cwebsocket } = require("websocket");
const { run, Messages } = require("./session.cjs");

// It has `onopen` and its like, and `addEventListener` of another form than browsers.
function connect(job) {
  const socket = new w3cwebsocket(job.url, job.offers);
  const messages = new Messages();
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  socket.onmessage = ({ data }) => messages.put(typeof data === "string" ? data : Buffer.from(data));
  const close = async (code) => {
    code === undefined ? socket.close() : socket.close(code);
    await closed;
  };
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("an error event without a text"));
    socket.onopen = () => {
      const send = (message) => socket.send(message);
      resolve({ subprotocol: socket.protocol, send, receive: () => messages.next(), close });
    };
  });
}

run(connect);
