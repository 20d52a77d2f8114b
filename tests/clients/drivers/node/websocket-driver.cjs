// websocket-driver: the protocol without a socket. It answers pings itself.

const net = require("node:net");
const websocket = require("websocket-driver");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const url = new URL(job.url);
  const driver = websocket.client(job.url, { protocols: job.offers });
  const messages = new Messages();
  const closed = new Promise((resolve) => driver.on("close", resolve));
  driver.on("message", ({ data }) => messages.put(typeof data === "string" ? data : Buffer.from(data)));
  const send = (message) => (typeof message === "string" ? driver.text(message) : driver.binary(message));
  const close = async (code) => {
    driver.close(undefined, code);
    await closed;
  };
  return new Promise((resolve, reject) => {
    driver.on("error", reject);
    driver.on("open", () => {
      resolve({ subprotocol: driver.protocol, send, receive: () => messages.next(), close });
    });
    const socket = net.connect(url.port, url.hostname, () => driver.start());
    socket.on("error", reject);
    socket.pipe(driver.io).pipe(socket);
  });
}

run(connect);
