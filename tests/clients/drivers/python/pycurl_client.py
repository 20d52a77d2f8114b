"""PycURL: libcurl, in its mode without transfer. It sends no pings, and answers pings only in `ws_recv`."""

import select
import struct
import time

import pycurl
from session import run


class Client:
    def __init__(self, job):
        self._curl = curl = pycurl.Curl()
        curl.setopt(pycurl.URL, job.url)
        curl.setopt(pycurl.CONNECT_ONLY, 2)
        if job.offers:
            curl.setopt(pycurl.HTTPHEADER, [f"Sec-WebSocket-Protocol: {', '.join(job.offers)}"])
        heads = []
        curl.setopt(pycurl.HEADERFUNCTION, heads.append)
        curl.perform()
        pairs = (line.decode().partition(":") for line in heads)
        answer = {name.lower(): value.strip() for name, _, value in pairs}
        self.subprotocol = answer.get("sec-websocket-protocol")

    def send(self, message):
        if isinstance(message, str):
            self._curl.ws_send(message.encode(), pycurl.WS_TEXT)
        else:
            self._curl.ws_send(message, pycurl.WS_BINARY)

    def receive(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                data, meta = self._curl.ws_recv(65536)
                return bytes(data).decode() if meta.flags & pycurl.WS_TEXT else bytes(data)
            except BlockingIOError:
                wait = max(0, deadline - time.monotonic())
                select.select([self._curl.getinfo(pycurl.ACTIVESOCKET)], [], [], wait)
        raise TimeoutError

    def idle(self, seconds):
        try:
            raise AssertionError(f"{self.receive(seconds)!r} came")
        except TimeoutError:
            pass

    def close(self, code):
        self._curl.ws_send(struct.pack("!H", 1000 if code is None else code), pycurl.WS_CLOSE)
        self._curl.close()


run(Client)
