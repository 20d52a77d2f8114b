"""websockets: the client for threads. It pings every 20 s, and waits 20 s for the answer."""

import time

from session import run
from websockets.sync.client import connect as connect_to


class Client:
    def __init__(self, socket):
        self._socket = socket
        self.subprotocol = socket.subprotocol
        self.send, self.receive = socket.send, socket.recv
        self.idle = time.sleep

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)


def connect(job):
    pings = {"ping_interval": 20 / job.scale, "ping_timeout": 20 / job.scale}
    return Client(connect_to(job.url, subprotocols=job.offers or None, **pings))


run(connect)
