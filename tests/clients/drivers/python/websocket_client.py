"""websocket-client: `create_connection`. It sends no pings, and answers pings only in `recv`."""

import time

import websocket
from session import run


class Client:
    def __init__(self, socket):
        self._socket = socket
        self.subprotocol = socket.getsubprotocol()

    def send(self, message):
        send = self._socket.send if isinstance(message, str) else self._socket.send_binary
        send(message)

    def receive(self):
        return self._socket.recv()

    def idle(self, seconds):
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self._socket.settimeout(rest)
            try:
                kind, frame = self._socket.recv_data_frame(control_frame=True)
            except websocket.WebSocketTimeoutException:
                break
            assert kind == websocket.ABNF.OPCODE_PING, f"{frame} came"
        self._socket.settimeout(30)

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)


def connect(job):
    return Client(websocket.create_connection(job.url, subprotocols=job.offers or None, timeout=30))


run(connect)
