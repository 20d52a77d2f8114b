"""curl-cffi: libcurl. It sends no pings, and answers pings only in `recv`."""

from curl_cffi import CurlWsFlag
from curl_cffi.requests import WebSocket, WebSocketTimeout
from session import run


class Client:
    def __init__(self, job):
        headers = {"Sec-WebSocket-Protocol": ", ".join(job.offers)} if job.offers else None
        self._socket = WebSocket()
        self._socket.connect(job.url, headers=headers, timeout=30)
        # It does not tell the subprotocol that was chosen.
        self.subprotocol = None

    def send(self, message):
        send = self._socket.send_str if isinstance(message, str) else self._socket.send_bytes
        send(message)

    def receive(self):
        data, flags = self._socket.recv(timeout=30)
        return data.decode() if flags & CurlWsFlag.TEXT else data

    def idle(self, seconds):
        try:
            raise AssertionError(f"{self._socket.recv(timeout=seconds)!r} came")
        except WebSocketTimeout:
            pass

    def close(self, code):
        self._socket.close() if code is None else self._socket.close(code)


run(Client)
