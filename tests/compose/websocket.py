"""A small WebSocket client for the checks of the stack, with the standard library only.

It supports text messages of one frame. Anything unexpected is an error.
"""

import asyncio
import base64
import hashlib
import os
import struct

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The handshake was not answered with 101."""


class Closed(Exception):
    """The gateway has closed: with a code, or with None if the connection broke off."""

    def __init__(self, code):
        super().__init__(f"closed with {code}" if code else "broke off")
        self.code = code


class WebSocket:
    """A connected client."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port, path, seconds=10):
        """Connects to 127.0.0.1 within `seconds`."""
        return await asyncio.wait_for(cls._connect(port, path), seconds)

    @classmethod
    async def _connect(cls, port, path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
            if " 101 " not in head.splitlines()[0] or accept not in head:
                raise Refused(head.splitlines()[0])
            return cls(reader, writer)
        except BaseException:
            writer.close()
            raise

    async def send(self, text):
        """Sends a message."""
        self._write(TEXT, text.encode())
        await self._writer.drain()

    async def receive(self, seconds=30):
        """The next message, within `seconds`."""
        try:
            return await asyncio.wait_for(self._receive(), seconds)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Closed(None) from None

    async def close(self):
        """Closes with a Close frame and waits for the answer. A message before the answer is an error."""
        self._write(CLOSE, struct.pack("!H", 1000))
        try:
            message = await self.receive()
            raise AssertionError(f"one more message came: {message!r}")
        except Closed as closed:
            assert closed.code == 1000, f"a Close of 1000 was answered: {closed}"
        finally:
            self._writer.close()

    def abort(self):
        """Breaks off, like a client that has lost its network."""
        self._writer.transport.abort()

    def _write(self, kind, payload):
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | length)
        else:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, length)
        mask = os.urandom(4)
        self._writer.write(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    async def _receive(self):
        while True:
            kind, payload = await self._frame()
            if kind == TEXT:
                return payload.decode()
            if kind == PING:
                self._write(PONG, payload)
            elif kind == CLOSE:
                self._writer.close()
                raise Closed(struct.unpack("!H", payload[:2])[0] if payload else 1005)
            elif kind != PONG:
                raise AssertionError(f"a frame of kind {kind} came")

    async def _frame(self):
        first, length = await self._reader.readexactly(2)
        assert first & 0x80, "a message came in several frames"
        if length == 126:
            (length,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(length)
