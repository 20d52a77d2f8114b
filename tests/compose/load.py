"""Connections that echo in a closed loop, and their results."""

import asyncio
import time

from stack import Failed
from websocket import WebSocket


class Load:
    """Each connection sends its next message when the last one has come back.

    The check fails if a connection is closed, or if a message is lost, comes twice or out of order.
    """

    def __init__(self, port, connections):
        self.echoed = [0] * connections
        self.longest = 0.0
        self._port = port
        self._failures = []
        self._over = False
        self._tasks = []

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(self._run(n)) for n in range(len(self.echoed))]
        return self

    async def __aexit__(self, *error):
        self._over = True
        await asyncio.gather(*self._tasks)
        if not any(error):
            self._check()

    async def each_echoes(self, messages, seconds=60):
        """Waits until every connection has echoed `messages` more messages."""
        goals = [echoed + messages for echoed in self.echoed]
        deadline = time.monotonic() + seconds
        while any(echoed < goal for echoed, goal in zip(self.echoed, goals)):
            self._check()
            if time.monotonic() > deadline:
                raise Failed(f"not every connection echoed {messages} messages in {seconds} s")
            await asyncio.sleep(0.05)

    def _check(self):
        if self._failures:
            count, total = len(self._failures), len(self.echoed)
            raise Failed(f"{count} of {total} connections failed; {self._failures[0]}")

    async def _run(self, number):
        try:
            client = await WebSocket.connect(self._port, "/release/echo")
            while not self._over:
                await self._echo(client, number)
            await client.close()
        except Exception as error:
            what = f"connection {number}, message {self.echoed[number]}: {error!r}"
            self._failures.append(what)

    async def _echo(self, client, number):
        text, begin = f"{number} {self.echoed[number]}", time.monotonic()
        await client.send(text)
        echo = await client.receive()
        if echo != text:
            raise Failed(f"sent {text!r} and got {echo!r}")
        self.longest = max(self.longest, time.monotonic() - begin)
        self.echoed[number] += 1
