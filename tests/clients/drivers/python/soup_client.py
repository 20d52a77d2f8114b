"""libsoup, by GObject. It sends no pings by default (`keepalive-interval`), and answers pings itself."""

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup
from session import run


class Client:
    def __init__(self, job):
        self._events = []
        session = Soup.Session()
        message = Soup.Message.new("GET", job.url)
        done = []
        session.websocket_connect_async(
            message, None, job.offers, GLib.PRIORITY_DEFAULT, None, lambda _, result: done.append(result)
        )
        self._until(lambda: done)
        try:
            self._socket = socket = session.websocket_connect_finish(done[0])
        except GLib.Error as error:
            raise ConnectionError(f"status {int(message.get_status())}: {error.message}") from error
        self._session = session
        self.subprotocol = socket.get_protocol()
        socket.connect("message", self._message)
        socket.connect("error", lambda _, error: self._events.append(ConnectionError(error.message)))
        socket.connect("closed", lambda _: self._events.append(ConnectionError("closed")))

    def _message(self, _, kind, data):
        text = kind == Soup.WebsocketDataType.TEXT
        self._events.append(data.get_data().decode() if text else data.get_data())

    def _until(self, condition):
        while not condition():
            GLib.MainContext.default().iteration(True)

    def send(self, message):
        if isinstance(message, str):
            self._socket.send_text(message)
        else:
            kind = Soup.WebsocketDataType.BINARY
            self._socket.send_message(kind, GLib.Bytes.new(message))

    def receive(self):
        self._until(lambda: self._events)
        event = self._events.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def idle(self, seconds):
        over = []
        GLib.timeout_add(int(seconds * 1000), lambda: over.append(True))
        self._until(lambda: over)

    def close(self, code):
        self._socket.close(Soup.WebsocketCloseCode.NORMAL if code is None else code, None)
        if self._socket.get_state() == Soup.WebsocketState.OPEN:
            raise ValueError("the socket is still open")
        self._until(lambda: self._events)


run(Client)
