'use strict';

const room = require('./room');

exports.main_handler = async (event) => {
  const { secConnectionID, secWebSocketProtocol } = event.websocket;
  await room.add(secConnectionID);
  console.log('registered', secConnectionID);
  const websocket = { action: 'connecting', secConnectionID };
  if (secWebSocketProtocol) websocket.secWebSocketProtocol = secWebSocketProtocol;
  return { errNo: 0, errMsg: 'ok', websocket };
};
