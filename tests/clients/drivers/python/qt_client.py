"""Qt: `QWebSocket`, by PyQt. It sends no pings, and answers pings itself."""

import asyncio
import importlib
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
BINDING = sys.argv[1]
QtCore = importlib.import_module(f"{BINDING}.QtCore")
QtNetwork = importlib.import_module(f"{BINDING}.QtNetwork")
QtWebSockets = importlib.import_module(f"{BINDING}.QtWebSockets")

from session import run_async

application = QtCore.QCoreApplication([])
NORMAL = QtWebSockets.QWebSocketProtocol.CloseCode.CloseCodeNormal


class Client:
    def __init__(self, job):
        self._events = asyncio.Queue()
        self._socket = socket = QtWebSockets.QWebSocket()
        socket.textMessageReceived.connect(self._events.put_nowait)
        socket.binaryMessageReceived.connect(lambda data: self._events.put_nowait(bytes(data)))
        socket.connected.connect(lambda: self._events.put_nowait(None))
        socket.disconnected.connect(self._disconnected)
        getattr(socket, "errorOccurred", socket.error).connect(self._failed)
        request = QtNetwork.QNetworkRequest(QtCore.QUrl(job.url))
        if job.offers:
            request.setRawHeader(b"Sec-WebSocket-Protocol", ", ".join(job.offers).encode())
        socket.open(request)
        # It does not tell the subprotocol that was chosen.
        self.subprotocol = None

    def _disconnected(self):
        self._events.put_nowait(ConnectionError("disconnected"))

    def _failed(self, _):
        self._events.put_nowait(ConnectionError(self._socket.errorString()))

    async def send(self, message):
        text = isinstance(message, str)
        self._socket.sendTextMessage(message) if text else self._socket.sendBinaryMessage(message)

    async def receive(self):
        event = await asyncio.wait_for(self._events.get(), 30)
        if isinstance(event, Exception):
            raise event
        return event

    async def idle(self, seconds):
        await asyncio.sleep(seconds)

    async def close(self, code):
        self._socket.close() if code is None else self._socket.close(close_code(code))
        await self._events.get()


def close_code(code):
    return type(NORMAL)(code)


async def connect(job):
    client = Client(job)
    await client.receive()
    return client


async def with_events(coroutine):
    """Runs the loop of Qt in small turns, beside the one of asyncio."""
    task = asyncio.ensure_future(coroutine)
    while not task.done():
        application.processEvents()
        await asyncio.sleep(0.005)


run_async(connect, lambda coroutine: asyncio.run(with_events(coroutine)))
