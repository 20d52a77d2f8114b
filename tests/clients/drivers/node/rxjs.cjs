// RxJS: `webSocket`, over ws. Its closing observer has no code, or the one of `error`.

const { webSocket } = require("rxjs/webSocket");
const ws = require("ws");
const { run, Messages } = require("./session.cjs");

function connect(job) {
  const messages = new Messages();
  let closed;
  const ended = new Promise((resolve) => (closed = resolve));
  return new Promise((resolve, reject) => {
    const subject = webSocket({
      url: job.url,
      protocol: job.offers,
      WebSocketCtor: ws,
      binaryType: "arraybuffer",
      serializer: (message) => message,
      deserializer: ({ data }) => (typeof data === "string" ? data : Buffer.from(data)),
      openObserver: { next: ({ target }) => resolve(client(subject, target, messages, ended)) },
      closeObserver: { next: closed },
    });
    subject.subscribe({ next: (message) => messages.put(message), error: reject });
  });
}

function client(subject, socket, messages, ended) {
  return {
    subprotocol: socket.protocol,
    send: (message) => subject.next(message),
    receive: () => messages.next(),
    close: async (code) => {
      code === undefined ? subject.complete() : subject.error({ code });
      await ended;
    },
  };
}

run(connect);
