"""websockets: the client for asyncio. It pings every 20 s, and waits 20 s for the answer."""

import asyncio

from session import run_async
from websockets.asyncio.client import connect as connect_to


class Client:
    def __init__(self, socket):
        self._socket = socket
        self.subprotocol = socket.subprotocol
        self.send, self.receive = socket.send, socket.recv
        self.idle = asyncio.sleep

    async def close(self, code):
        await (self._socket.close() if code is None else self._socket.close(code))


async def connect(job):
    pings = {"ping_interval": 20 / job.scale, "ping_timeout": 20 / job.scale}
    return Client(await connect_to(job.url, subprotocols=job.offers or None, **pings))


run_async(connect)
