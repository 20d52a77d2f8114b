"""httpx-ws. It pings every 20 s, and waits 20 s for the answer."""

import contextlib

import asyncio

from httpx_ws import aconnect_ws
from session import run_async


class Client:
    def __init__(self, stack, socket):
        self._stack, self._socket = stack, socket
        self.subprotocol = socket.subprotocol
        self.idle = asyncio.sleep

    async def send(self, message):
        send = self._socket.send_text if isinstance(message, str) else self._socket.send_bytes
        await send(message)

    async def receive(self):
        return (await self._socket.receive(timeout=30)).data

    async def close(self, code):
        await (self._socket.close() if code is None else self._socket.close(code=code))
        await self._stack.aclose()


async def connect(job):
    pings = {
        "keepalive_ping_interval_seconds": 20 / job.scale,
        "keepalive_ping_timeout_seconds": 20 / job.scale,
    }
    stack = contextlib.AsyncExitStack()
    socket = aconnect_ws(job.url, subprotocols=job.offers or None, **pings)
    return Client(stack, await stack.enter_async_context(socket))


run_async(connect)
