"""websocket-client: `WebSocketApp`, with its loop in a thread. It sends no pings by default."""

import queue
import threading
import time

import websocket
from session import run


class Client:
    def __init__(self, job):
        self._events = queue.Queue()
        self._app = websocket.WebSocketApp(
            job.url,
            subprotocols=job.offers or None,
            on_open=lambda app: self._events.put(None),
            on_message=lambda app, message: self._events.put(message),
            on_error=lambda app, error: self._events.put(error),
        )
        threading.Thread(target=self._app.run_forever, daemon=True).start()
        self.receive()
        self.subprotocol = self._app.sock.getsubprotocol()
        self.idle = time.sleep

    def send(self, message):
        send = self._app.send_text if isinstance(message, str) else self._app.send_bytes
        send(message)

    def receive(self):
        event = self._events.get(timeout=30)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self, code):
        self._app.close() if code is None else self._app.close(status=code)


run(Client)
