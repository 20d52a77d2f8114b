"""niquests, with a thread that reads: it sends no pings by default, and answers pings only in `next_payload`."""

import queue
import threading
import time

import niquests
from session import run


class Client:
    def __init__(self, job):
        headers = {"Sec-WebSocket-Protocol": ", ".join(job.offers)} if job.offers else None
        answer = niquests.Session().get(job.url, headers=headers, timeout=30)
        answer.raise_for_status()
        self._socket = answer.extension
        self.subprotocol = answer.headers.get("Sec-WebSocket-Protocol")
        self.send, self.idle = self._socket.send_payload, time.sleep
        self._messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while (message := self._socket.next_payload()) is not None:
            self._messages.put(message)

    def receive(self):
        return self._messages.get(timeout=30)

    def close(self, code):
        if code is not None:
            raise ValueError("its close takes no code")
        self._socket.close()


run(Client)
