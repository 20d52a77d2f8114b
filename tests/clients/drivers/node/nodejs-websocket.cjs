// nodejs-websocket. It sends no pings.

const { connect: connectTo } = require("nodejs-websocket");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const messages = new Messages();
  const connection = connectTo(job.url, job.offers.length ? { protocols: job.offers } : {});
  const closed = new Promise((resolve) => connection.on("close", resolve));
  connection.on("text", (text) => messages.put(text));
  connection.on("binary", (stream) => {
    const pieces = [];
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("end", () => messages.put(Buffer.concat(pieces)));
  });
  const close = async (code) => {
    connection.close(code);
    await closed;
  };
  return new Promise((resolve, reject) => {
    connection.on("error", reject);
    closed.then(() => reject(new Error("closed before it opened")));
    connection.on("connect", () => {
      const send = (message) => connection.send(message);
      resolve({ subprotocol: connection.protocol, send, receive: () => messages.next(), close });
    });
  });
}

run(connect);
