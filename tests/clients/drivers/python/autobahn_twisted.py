"""Autobahn: the client for Twisted, whose reactor runs on the loop of asyncio."""

import asyncio

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)

from twisted.internet import asyncioreactor

asyncioreactor.install(loop)

from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    connectWS,
)
from autobahn_protocol import Client
from session import run_async
from twisted.internet import reactor

reactor.startRunning(installSignalHandlers=False)


async def connect(job):
    client = Client()
    factory = WebSocketClientFactory(job.url, protocols=job.offers)
    # Its default is 5 s, and all libraries connect at once before their idleness.
    factory.setProtocolOptions(openHandshakeTimeout=30)
    factory.protocol = client.protocol(WebSocketClientProtocol)
    connectWS(factory)
    return await client.opened()


run_async(connect, loop.run_until_complete)
