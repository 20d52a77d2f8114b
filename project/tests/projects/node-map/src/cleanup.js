'use strict';

const room = require('./room');

exports.main_handler = async (event) => {
  await room.remove(event.websocket.secConnectionID);
  console.log('cleaned up', event.websocket.secConnectionID);
  return { errNo: 0, errMsg: 'ok' };
};
