"""wreq. It sends no pings, and answers pings only in `recv`."""

import datetime
import time

import wreq
import wreq.blocking
from session import run


class Refused(Exception):
    """The answer was not a 101."""


class Client:
    def __init__(self, job):
        client = wreq.blocking.Client()
        self._socket = client.websocket(job.url, protocols=job.offers)
        if self._socket.status.as_int() != 101:
            raise Refused(self._socket.status.as_int())
        self.subprotocol = self._socket.protocol

    def send(self, message):
        text = isinstance(message, str)
        self._socket.send(wreq.Message.from_text(message) if text else wreq.Message.from_binary(message))

    def receive(self):
        message = self._socket.recv(datetime.timedelta(seconds=30))
        return message.text if message.text is not None else message.binary

    def idle(self, seconds):
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            try:
                message = self._socket.recv(datetime.timedelta(seconds=rest))
            except wreq.exceptions.TimeoutError:
                return
            assert message is not None and message.ping is not None, f"{message!r} came"

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)


run(Client)
