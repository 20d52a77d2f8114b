// The file is loaded for each event: `on` is there then.
const greeting = process.env.GREETING;

on('connect', async (data, socket) => {
  console.log(`${socket.id} connected`);
  return 'connected';
});

on('message', async (data, socket) => {
  await socket.send(JSON.stringify({ greeting, data }), socket.id);
});

on('disconnect', async (data, socket) => {
  console.log(`${socket.id} disconnected`);
  return 'closed';
});
