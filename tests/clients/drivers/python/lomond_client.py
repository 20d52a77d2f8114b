"""lomond, with its loop in a thread. It pings every 30 s."""

import queue
import threading
import time

from lomond import WebSocket
from session import run


class Refused(Exception):
    """The answer was not a 101."""


class Client:
    def __init__(self, job):
        self._socket = WebSocket(job.url, protocols=job.offers)
        self._received = queue.Queue()
        rate = 30 / job.scale
        threading.Thread(target=self._loop, args=(rate,), daemon=True).start()
        ready = self.receive()
        self.subprotocol = ready
        self.idle = time.sleep

    def _loop(self, ping_rate):
        for event in self._socket.connect(ping_rate=ping_rate, poll=ping_rate / 6):
            if event.name == "ready":
                self._received.put(event.protocol)
            elif event.name == "text":
                self._received.put(event.text)
            elif event.name == "binary":
                self._received.put(event.data)
            elif event.name == "rejected":
                self._received.put(Refused(f"{event.reason}: {event.response.status_code}"))
            elif event.name in ("connect_fail", "protocol_error", "disconnected"):
                self._received.put(ConnectionError(str(event)))

    def send(self, message):
        send = self._socket.send_text if isinstance(message, str) else self._socket.send_binary
        send(message)

    def receive(self):
        event = self._received.get(timeout=30)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code=code)


run(Client)
