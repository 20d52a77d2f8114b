// A client with the interface of browsers (WHATWG WebSocket), which most libraries offer.

const { Messages } = require("./session.cjs");

const OPEN = 1;

// Resolves when `socket` has opened.
function opened(socket) {
  const messages = new Messages();
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    messages.put(typeof data === "string" ? data : Buffer.from(data));
  });
  closed.then((event) => messages.fail(new Error(`closed with ${event?.code}`)));
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(client(socket, messages, closed)));
    socket.addEventListener("error", (event) => reject(reason(event)));
    closed.then((event) => reject(new Error(`closed with ${event?.code} ${event?.reason ?? ""}`)));
  });
}

function client(socket, messages, closed) {
  return {
    subprotocol: socket.protocol,
    send: (message) => socket.send(message),
    receive: () => messages.next(),
    close: async (code) => {
      code === undefined ? socket.close() : socket.close(code);
      // Some take a code in silence, and do nothing.
      if (socket.readyState === OPEN) throw new Error("the socket is still open");
      await closed;
    },
  };
}

function reason(event) {
  const error = event.error ?? event;
  return error instanceof Error ? error : new Error(event.message || "an error event without a text");
}

module.exports = { opened };
