"""Autobahn: what its clients for asyncio and for Twisted have in common. It sends no pings by default."""

import asyncio


class Client:
    """Follows one protocol object. `opened` and `messages` are filled by its callbacks."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        self._opened = loop.create_future()
        self._messages = asyncio.Queue()
        self.idle = asyncio.sleep

    def protocol(self, base):
        """The class of the protocol that belongs to this client."""
        client = self

        class Protocol(base):
            def onOpen(self):
                client._opened.set_result(self)

            def onMessage(self, payload, isBinary):
                client._messages.put_nowait(payload if isBinary else payload.decode())

            def onClose(self, wasClean, code, reason):
                if not client._opened.done():
                    client._opened.set_exception(ConnectionError(reason))
                client._messages.put_nowait(None)

        return Protocol

    async def opened(self):
        self._protocol = await asyncio.wait_for(self._opened, 30)
        self.subprotocol = self._protocol.websocket_protocol_in_use
        return self

    async def send(self, message):
        binary = isinstance(message, bytes)
        self._protocol.sendMessage(message if binary else message.encode(), isBinary=binary)

    async def receive(self):
        return await asyncio.wait_for(self._messages.get(), 30)

    async def close(self, code):
        self._protocol.sendClose() if code is None else self._protocol.sendClose(code=code)
        await self.receive()
