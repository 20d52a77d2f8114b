"""picows. It sends no pings by default, and answers pings itself."""

import asyncio

import picows
from session import run_async


class Client(picows.WSListener):
    def __init__(self):
        self._messages = asyncio.Queue()
        self._transport = None
        self.idle = asyncio.sleep

    def on_ws_connected(self, transport):
        self._transport = transport
        answer = transport.response.headers
        self.subprotocol = answer.get("Sec-WebSocket-Protocol")

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            self._messages.put_nowait(frame.get_payload_as_utf8_text())
        elif frame.msg_type == picows.WSMsgType.BINARY:
            self._messages.put_nowait(frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()

    async def send(self, message):
        if isinstance(message, str):
            self._transport.send(picows.WSMsgType.TEXT, message.encode())
        else:
            self._transport.send(picows.WSMsgType.BINARY, message)

    async def receive(self):
        return await asyncio.wait_for(self._messages.get(), 30)

    async def close(self, code):
        self._transport.send_close() if code is None else self._transport.send_close(code)
        await self._transport.wait_disconnected()


async def connect(job):
    headers = {"Sec-WebSocket-Protocol": ", ".join(job.offers)} if job.offers else None
    _, client = await picows.ws_connect(Client, job.url, extra_headers=headers)
    return client


run_async(connect)
