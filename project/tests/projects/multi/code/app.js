const http = require('http');

const ok = { errNo: 0, errMsg: 'ok' };

exports.enter = async () => ok;

exports.say = async ({ websocket }) => {
  const body = JSON.stringify({ websocket: { ...websocket, action: 'data send' } });
  await new Promise((resolve, reject) => {
    http.request(process.env.SEND_URL, { method: 'POST' }, resolve).on('error', reject).end(body);
  });
  return ok;
};

exports.leave = async () => ok;
