"""aiohttp. It sends no pings by default (`heartbeat`), and answers pings only in `receive`."""

import asyncio

import aiohttp
from session import run_async


class Client:
    def __init__(self, session, socket):
        self._session, self._socket = session, socket
        self.subprotocol = socket.protocol
        self.idle = asyncio.sleep
        self._messages = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        async for message in self._socket:
            self._messages.put_nowait(message.data)

    async def send(self, message):
        send = self._socket.send_str if isinstance(message, str) else self._socket.send_bytes
        await send(message)

    async def receive(self):
        return await asyncio.wait_for(self._messages.get(), 30)

    async def close(self, code):
        await (self._socket.close() if code is None else self._socket.close(code=code))
        await self._reader
        await self._session.close()


async def connect(job):
    session = aiohttp.ClientSession()
    try:
        return Client(session, await session.ws_connect(job.url, protocols=job.offers))
    except BaseException:
        await session.close()
        raise


run_async(connect)
