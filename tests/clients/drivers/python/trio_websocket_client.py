"""trio-websocket. It sends no pings by default."""

import contextlib

import trio
from session import run_async
from trio_websocket import open_websocket_url


class Client:
    def __init__(self, stack, socket):
        self._stack, self._socket = stack, socket
        self.subprotocol = socket.subprotocol
        self.send, self.receive = socket.send_message, socket.get_message
        self.idle = trio.sleep

    async def close(self, code):
        await (self._socket.aclose() if code is None else self._socket.aclose(code=code))
        await self._stack.aclose()


async def connect(job):
    stack = contextlib.AsyncExitStack()
    socket = open_websocket_url(job.url, subprotocols=job.offers or None)
    return Client(stack, await stack.enter_async_context(socket))


def run_one(coroutine):
    async def main():
        await coroutine

    trio.run(main)


run_async(connect, run_one)
