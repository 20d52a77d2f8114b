"""Measures TLS of the gateway: memory of an idle connection, and handshakes per second.

Usage: python3 bench/tls.py [GATEWAY] [CONNECTIONS]

GATEWAY is the binary (target/release/gateway), CONNECTIONS how many are idle (2000). The script starts the
gateway twice, without TLS and with tls.dev, on loopback. One client makes one handshake after the other, with a
request that is answered 404. Python's standard library only.
"""

import asyncio
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time

SETTINGS = """
[listen]
public = "127.0.0.1:0"
internal = "127.0.0.1:0"

[connection]
ping_interval = "1day"

[[api]]
id = "idle"
path = "/"
transmit = "http://127.0.0.1:1/"
idle_timeout = "1day"
"""
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# How many handshakes run at once. More would be refused as too many request heads.
AT_ONCE = 50
SECONDS = 5
VERSIONS = {"TLS 1.3": ssl.TLSVersion.TLSv1_3, "TLS 1.2": ssl.TLSVersion.TLSv1_2}


def resident(pid):
    """Bytes of the process that are in memory."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


async def idle(port, context, count):
    """Opens so many WebSockets, and returns them."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def connect():
        async with turns:
            name = "localhost" if context else None
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname=name
            )
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
            return reader, writer

    return await asyncio.gather(*(connect() for _ in range(count)))


async def memory(gateway, port, context, count):
    """Bytes of the gateway for each of so many idle connections."""
    # What the first connections take is not taken again by others.
    first = await idle(port, context, 200)
    before = resident(gateway.pid)
    others = await idle(port, context, count)
    taken = (resident(gateway.pid) - before) / count
    for _, writer in first + others:
        writer.transport.abort()
    return taken


def processor(pid):
    """Seconds of the processor that the process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def handshake(port, context, session):
    """Makes a handshake and one request, and returns the session. In TLS 1.3 it comes after the handshake."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as stream:
            stream.sendall(b"GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while stream.recv(4096):
                pass
            assert stream.session_reused == (session is not None)
            return stream.session


def handshakes(gateway, port, context, resumed):
    """Handshakes per second of one client at a time, and seconds of the gateway's processor for each."""
    session = handshake(port, context, None) if resumed else None
    used, start, number = processor(gateway.pid), time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        # A ticket of TLS 1.3 is for one use.
        new = handshake(port, context, session)
        session = new if resumed else None
        number += 1
    return number / (time.monotonic() - start), (processor(gateway.pid) - used) / number


def main():
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/gateway")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, count + 1000))
    for tls in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/gateway.toml", "w") as file:
                file.write(SETTINGS + ("[tls]\ndev = true\n" if tls else ""))
            gateway = subprocess.Popen([binary], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            try:
                ready = json.loads(gateway.stdout.readline())
                port = int(ready["public"].rsplit(":", 1)[1])
                context = ssl.create_default_context(cafile=f"{folder}/data/tls/ca.pem") if tls else None
                taken = asyncio.run(memory(gateway, port, context, count))
                print(f"{'with' if tls else 'without'} TLS: {taken / 1024:.1f} KiB for each of {count} idle connections")
                if tls:
                    for name, version in VERSIONS.items():
                        context.minimum_version = context.maximum_version = version
                        for resumed in (False, True):
                            rate, used = handshakes(gateway, port, context, resumed)
                            kind = "resumed" if resumed else "full"
                            print(f"{name}, {kind}: {rate:.0f} per second, {used * 1e6:.0f} us of the gateway each")
            finally:
                gateway.kill()
                gateway.wait()


main()
