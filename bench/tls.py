"""Measures TLS of the gateway: memory of an idle connection, and handshakes per second.

Usage: python3 bench/tls.py [GATEWAY] [CONNECTIONS]

GATEWAY is the binary (target/release/gateway), CONNECTIONS how many are idle (2000). The script starts the
gateway twice, without TLS and with tls.dev, on loopback. Handshakes are made by `openssl s_time`, which runs on
the same machine and needs about as much of the processor as the gateway. Python's standard library only.
"""

import asyncio
import json
import os
import re
import resource
import ssl
import subprocess
import sys
import tempfile

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
# `s_time` reads no ticket of TLS 1.3, so it cannot resume such a session.
HANDSHAKES = [
    ("-tls1_3", "-new", "TLS 1.3, full"),
    ("-tls1_2", "-new", "TLS 1.2, full"),
    ("-tls1_2", "-reuse", "TLS 1.2, resumed"),
]


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


def handshakes(port, mode, version):
    """Handshakes per second, of one client at a time."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", mode, version, "-time", str(SECONDS)]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    counts = re.findall(r"(\d+) connections in (\d+) real seconds", output)
    number, seconds = counts[-1]
    return int(number) / int(seconds)


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
                    for version, mode, name in HANDSHAKES:
                        rate = handshakes(port, mode, version)
                        print(f"{name}: {rate:.0f} handshakes per second, one at a time")
            finally:
                gateway.kill()
                gateway.wait()


main()
