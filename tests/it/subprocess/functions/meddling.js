// Replaces what programs of others replace: mocks, fake timers, instruments.
const { EventEmitter } = require("node:events");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { Writable } = require("node:stream");
const util = require("node:util");

const broken = (what) => () => { throw new Error(`${what} was replaced`); };
const replace = (of, names) => { for (const name of names) of[name] = broken(name); };
replace(process.stdout, ["write"]);
replace(process.stderr, ["write"]);
replace(console, ["log", "error"]);
replace(http, ["request", "get"]);
replace(http.Agent.prototype, ["createConnection"]);
replace(http.ClientRequest.prototype, ["write", "end"]);
replace(net, ["connect", "createConnection"]);
replace(net.Socket.prototype, ["connect", "write", "end", "destroy", "ref", "unref"]);
replace(Writable.prototype, ["write", "end"]);
replace(EventEmitter.prototype, ["on", "once"]);
replace(fs, ["writeSync", "existsSync"]);
replace(JSON, ["stringify", "parse"]);
replace(Object, ["entries", "assign", "keys", "fromEntries", "hasOwn", "getOwnPropertyDescriptor"]);
replace(Array, ["isArray", "from"]);
replace(ArrayBuffer, ["isView"]);
replace(Math, ["min", "max", "floor"]);
replace(util, ["inspect", "format"]);
replace(Buffer, ["from", "concat", "byteLength"]);
replace(globalThis, ["setTimeout", "clearTimeout", "setImmediate", "queueMicrotask", "fetch", "Promise", "Date"]);
replace(process, ["exit"]);
process.nextTick = () => {};
process.removeAllListeners();
process.env = {};

exports.main_handler = async (event) => {
  if (event === "fail") throw new Error("no luck");
  return event;
};
