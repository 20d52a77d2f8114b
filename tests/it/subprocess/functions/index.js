let count = 0;
let background = 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

exports.main_handler = async (event, context) => {
  count += 1;
  switch (event?.do) {
    case "raise": throw new Error("no luck");
    case "hang": await sleep(1_000_000); break;
    case "exit": process.exit(3);
    case "eat": {
      const hoard = [];
      for (;;) {
        hoard.push(Buffer.alloc(1 << 20, 1));
        await sleep(1);
      }
    }
    case "garble": return 1n;
    case "grow": return "x".repeat(7 << 20);
    case "flood":
      for (let i = 0; i < 100_000; i += 1) console.log("x".repeat(100));
      process.stdout.write("y".repeat(1_000_000));
      break;
    case "pause": await sleep(300); return process.pid;
    case "count": return count;
    case "environment": return { ...process.env };
    case "context": return context;
    case "leave": sleep(50).then(() => { background += 1; }); return background;
    case "undefined": return undefined;
  }
  return event;
};

exports.callback = (event, context, callback) => {
  if (event.do === "callback") setTimeout(() => callback(null, "called"), 1);
  if (event.do === "callback-error") callback(new Error("no luck"));
  if (event.do === "done") context.done(null, "done");
  if (event.do === "succeed") context.succeed("succeeded");
  if (event.do === "fail") context.fail("no luck");
};
