// Writes the number of each event to a file, and lets its process end at random after the reply.
const { appendFileSync } = require("node:fs");

exports.main_handler = async (event) => {
  appendFileSync(event.begun, `${event.number}\n`);
  if (event.number % 4 !== 0) return event.number;
  const wait = Math.random() * 5;
  if (event.do === "throw") setTimeout(() => { throw new Error("too late"); }, wait);
  if (event.do === "reject") setTimeout(() => { Promise.reject(new Error("too late")); }, wait);
  return event.number;
};
