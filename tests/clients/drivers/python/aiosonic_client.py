"""aiosonic. It pings every 30 s."""

import asyncio

from aiosonic import WebSocketClient
from session import run_async


class Client:
    def __init__(self, socket):
        self._socket = socket
        self.subprotocol = socket.subprotocol
        self.idle = asyncio.sleep

    async def send(self, message):
        send = self._socket.send_text if isinstance(message, str) else self._socket.send_bytes
        await send(message)

    async def receive(self):
        return (await self._socket._get_message(timeout=30)).data

    async def close(self, code):
        await (self._socket.close() if code is None else self._socket.close(code))


async def connect(job):
    client = WebSocketClient()
    interval = 30 / job.scale
    offers = job.offers or None
    socket = await client.connect(job.url, subprotocols=offers, keepalive_interval=interval)
    return Client(socket)


run_async(connect)
