"""wsproto: the protocol without a socket. The socket and the answers to pings are the program's, here the driver's."""

import socket
import time
import urllib.parse

from session import run
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)


class Refused(Exception):
    """`status` is the status of the answer."""

    def __init__(self, status):
        super().__init__(f"status {status}")
        self.status = status


class Client:
    def __init__(self, job):
        url = urllib.parse.urlsplit(job.url)
        self._socket = socket.create_connection((url.hostname, url.port), timeout=30)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        target = f"{url.path}?{url.query}"
        self._emit(Request(host=url.netloc, target=target, subprotocols=job.offers))
        answer = self._next()
        if isinstance(answer, RejectConnection):
            raise Refused(answer.status_code)
        assert isinstance(answer, AcceptConnection), answer
        self.subprotocol = answer.subprotocol

    def send(self, message):
        kind = TextMessage if isinstance(message, str) else BytesMessage
        self._emit(kind(data=message))

    def receive(self):
        pieces = []
        while True:
            event = self._next()
            pieces.append(event.data)
            if event.message_finished:
                return pieces[0][:0].join(map(type(pieces[0]), pieces))

    def idle(self, seconds):
        try:
            raise AssertionError(f"{self._next(seconds)} came")
        except TimeoutError:
            self._socket.settimeout(30)

    def close(self, code):
        self._emit(CloseConnection(code=1000 if code is None else code))
        self._socket.close()

    def _emit(self, event):
        self._socket.sendall(self._protocol.send(event))

    def _next(self, seconds=30):
        end = time.monotonic() + seconds
        while True:
            for event in self._protocol.events():
                if not isinstance(event, Ping):
                    return event
                self._emit(event.response())
            rest = end - time.monotonic()
            if rest <= 0:
                raise TimeoutError
            self._socket.settimeout(rest)
            self._protocol.receive_data(self._socket.recv(65536) or None)


run(Client)
