"""simple-websocket. It sends no pings by default, and answers pings in a thread of its own."""

import time

import simple_websocket
from session import run


class Client:
    def __init__(self, job):
        self._socket = simple_websocket.Client(job.url, subprotocols=job.offers)
        self.subprotocol = self._socket.subprotocol
        self.send, self.idle = self._socket.send, time.sleep

    def receive(self):
        return self._socket.receive(timeout=30)

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)


run(Client)
