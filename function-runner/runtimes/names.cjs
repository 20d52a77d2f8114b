// Has the cloud's host names lead to the listener of the instance, in this process.
//
// Comes between errors.cjs and bootstrap.cjs in one text. A look-up cannot change a port in Node, so
// the connection is changed, through which http, https, fetch and all clients go. The name for TLS
// stays what the client has chosen. Programs that this process starts, and worker threads, look
// names up as always.

const { LONGHOLD_NAMES: namesText } = process.env;
// So that no program of the function inherits it.
delete process.env.LONGHOLD_NAMES;
if (namesText) leadNames(parse(namesText));

function leadNames({ port, forms, ends, led, passed, refused, refuses }) {
  const { Socket, isIP } = require("net");
  const { hostname } = require("os");
  const { writeSync: writeNow } = require("fs");
  const { connect } = Socket.prototype;
  const { nextTick } = process;
  const said = new Set();
  const whole = forms.map((form) => new RegExp(`^(?:${form})$`));

  const isLed = (name) => port !== null && !passed.includes(name) && (led.includes(name)
    || whole.some((form) => form.test(name)));
  const isOutside = (name) => isIP(name) === 0 && name !== "localhost"
    && !name.endsWith(".localhost") && name !== hostname().toLowerCase();
  const isRefused = (name) => refused.includes(name)
    || (refuses && !passed.includes(name) && !led.includes(name) && isOutside(name));
  // One of the cloud that is left as it is may not be there: the log says that it was not led.
  const isLeft = (name) => !passed.includes(name) && ends.some((end) => name.endsWith(end));

  // A line in the log of the function, once for each name.
  function say(name, what) {
    if (said.has(name) || said.size >= 256) return;
    said.add(name);
    attempt(() => writeNow(2, `${name} ${what} in functions.toml\n`));
  }

  function refuse(socket, host, name) {
    say(name, "is refused: set cloud.outside or cloud.names");
    const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
    assign(error, { errno: -3008, code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host });
    socket.connecting = true;
    nextTick(() => socket.destroy(error));
    return socket;
  }

  // The arguments are those of net.connect: options, or a port and a host. Modules of Node pass one
  // array that has them.
  function optionsOf(args) {
    const given = isArray(args[0]) ? args[0] : args;
    const [first, second] = given;
    const callback = given.find((each) => typeof each === "function");
    if (typeof first === "object" && first !== null) return { options: first, callback };
    return { options: { port: first, host: typeof second === "string" ? second : undefined }, callback };
  }

  // Not an arrow: the socket is `this`.
  Socket.prototype.connect = function connectLed(...args) {
    const { options, callback } = optionsOf(args);
    const { host } = options;
    if (typeof host !== "string" || options.path) return connect.apply(this, args);
    const name = host.toLowerCase().replace(/\.$/, "");
    if (!isLed(name)) {
      if (isRefused(name)) return refuse(this, host, name);
      if (isLeft(name)) {
        say(name, "is a name of the cloud that is left as it is: set cloud.names");
      }
      return connect.apply(this, args);
    }
    // A copy, since the options are those of the client.
    const changed = { ...options, host: "127.0.0.1", port, family: 4 };
    return callback ? connect.call(this, changed, callback) : connect.call(this, changed);
  };
}

