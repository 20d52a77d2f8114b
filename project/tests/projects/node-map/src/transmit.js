'use strict';

const http = require('http');
const room = require('./room');

const send = (secConnectionID, data) => new Promise((resolve, reject) => {
  const message = { action: 'data send', secConnectionID, dataType: 'text', data };
  const body = JSON.stringify({ websocket: message });
  const request = http.request({
    method: 'POST',
    host: process.env.SEND_HOST,
    path: process.env.SEND_PATH,
    headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
  }, (response) => {
    let answer = '';
    response.on('data', (part) => { answer += part; });
    response.on('end', () => resolve(answer));
  });
  request.on('error', reject);
  request.end(body);
});

exports.main_handler = async (event) => {
  const { secConnectionID, data } = event.websocket;
  const others = (await room.all()).filter((id) => id !== secConnectionID);
  for (const id of others) {
    console.log('sent to', id, await send(id, data));
  }
  return { errNo: 0, errMsg: 'ok' };
};
