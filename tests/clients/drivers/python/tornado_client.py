"""Tornado: `websocket_connect`. It sends no pings by default."""

import asyncio

from session import run_async
from tornado.websocket import websocket_connect


class Client:
    def __init__(self, socket):
        self._socket = socket
        self.subprotocol = socket.selected_subprotocol
        self.idle = asyncio.sleep

    async def send(self, message):
        await self._socket.write_message(message, binary=isinstance(message, bytes))

    async def receive(self):
        return await self._socket.read_message()

    async def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)
        while await self._socket.read_message() is not None:
            pass


async def connect(job):
    return Client(await websocket_connect(job.url, subprotocols=job.offers or None))


run_async(connect)
