// Throws the value that the event names.
const odd = {
  object: () => ({ code: 42, detail: { why: "no luck" } }),
  cause: () => new Error("outer", { cause: new TypeError("inner", { cause: "root" }) }),
  aggregate: () => new AggregateError([new Error("first"), new Error("second")], "both"),
  bare: () => Object.assign(Object.create(null), { bare: "no luck" }),
  undefined: () => undefined,
  symbol: () => Symbol("no luck"),
  proxy: () => {
    const fail = () => { throw new Error("trap"); };
    return new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail });
  },
  getters: () => ({
    get message() { throw new Error("getter"); },
    get name() { throw new Error("getter"); },
    [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("custom"); },
  }),
  stackless: () => {
    const error = new Error("no luck");
    return Object.defineProperty(error, "stack", { get() { throw new Error("getter"); } });
  },
  circular: () => {
    const circle = { name: "no luck" };
    return Object.assign(circle, { circle });
  },
  errors: () => Array.from({ length: 100 }, () => Array.from({ length: 100 },
    () => Object.assign(new Error("no luck"), { stack: "no luck ".repeat(8000) }))),
  // Each error is reached by each other one.
  circle: () => {
    const errors = Array.from({ length: 100 }, () => new Error("no luck"));
    for (const error of errors) error.cause = errors;
    return errors[0];
  },
  long: () => new Error("x".repeat(7 << 20)),
  wide: () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, { i }])),
  surrogate: () => "\ud800 no luck",
  changed: () => {
    const error = new Error("inner");
    error.message = `outer: ${error.message}`;
    return error;
  },
  // As HTTP clients make them.
  request: () => {
    const config = { headers: { Authorization: "hidden" }, data: "hidden", auth: { user: "hidden" } };
    const response = { status: 400, data: "hidden", config };
    const cause = new Error("reset", { cause: { code: 5, token: "hidden", config } });
    const more = { name: "RequestError", code: "EFAIL", status: 400, apiKey: "hidden" };
    return Object.assign(new Error("no luck", { cause }), more, { config, response, request: config });
  },
  answer: () => ({
    code: 42, authorization: "hidden", headers: { cookie: "hidden" }, error: new Error("nested"),
    detail: { why: "no luck", password: "hidden", deep: { body: "hidden" } },
    map: new Map([["token", "hidden"]]), bytes: Buffer.from("hidden"),
  }),
  pairs: () => [["authorization", "hidden"], ["why", "no luck"]],
  list: () => ["Cookie", "hidden", "why", "no luck"],
  names: () => Object.assign(new Error("no luck"), {
    auth: "hidden", proxyAuth: "hidden", sessionId: "hidden", jwt: "hidden", dbPwd: "hidden",
  }),
  reasons: () => new AggregateError(
    [{ secret: "hidden", deep: { body: "hidden" } }, odd.request(), odd.answer()], "no luck"),
};

exports.main_handler = async (event) => {
  if (!(event in odd)) return event;
  throw odd[event]();
};

// Nobody catches it: the process ends after the reply.
exports.later = (event, context, callback) => {
  if (!(event in odd)) return callback(null, event);
  setTimeout(() => { throw odd[event](); }, 1);
};
