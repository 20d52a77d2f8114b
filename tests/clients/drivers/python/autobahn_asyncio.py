"""Autobahn: the client for asyncio."""

import asyncio
import urllib.parse

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn_protocol import Client
from session import run_async


async def connect(job):
    client = Client()
    factory = WebSocketClientFactory(job.url, protocols=job.offers)
    # Its default is 5 s, and all libraries connect at once before their idleness.
    factory.setProtocolOptions(openHandshakeTimeout=30)
    factory.protocol = client.protocol(WebSocketClientProtocol)
    url = urllib.parse.urlsplit(job.url)
    await asyncio.get_running_loop().create_connection(factory, url.hostname, url.port)
    return await client.opened()


run_async(connect)
