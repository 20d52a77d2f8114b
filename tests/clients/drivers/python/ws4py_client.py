"""ws4py: the client for threads. It sends no pings by default."""

import queue
import time

from session import run
from ws4py.client.threadedclient import WebSocketClient


class Client(WebSocketClient):
    def __init__(self, job):
        super().__init__(job.url, protocols=job.offers)
        self.daemon = True
        self._messages = queue.Queue()
        self.connect()
        self.idle = time.sleep

    @property
    def subprotocol(self):
        names = [name.decode() if isinstance(name, bytes) else name for name in self.protocols]
        return names[0] if len(names) == 1 else None

    def received_message(self, message):
        self._messages.put(message.data.decode() if message.is_text else message.data)

    def send(self, payload, binary=None):
        super().send(payload, binary=isinstance(payload, bytes) if binary is None else binary)

    def receive(self):
        return self._messages.get(timeout=30)

    def close(self, code=None, reason=""):
        super().close() if code is None else super().close(code, reason)


run(Client)
