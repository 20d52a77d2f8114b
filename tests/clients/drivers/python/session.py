"""The loop of a Python driver: reads jobs, does each with the library's `connect`, and writes results.

`connect(job)` returns an object with `subprotocol`, `send(message)`, `receive()`, `idle(seconds)` and
`close(code)`; `code` is None for the library's default. With `run_async` all of them are coroutines.
"""

import asyncio
import dataclasses
import sys

TEXT = "grüße, 世界 🌍"
BINARY = bytes(range(256))


@dataclasses.dataclass
class Job:
    url: str
    offers: list
    idle: float
    scale: int
    code: int | None


class Progress:
    """Which step of a job is done now."""

    step = "connect"


def jobs():
    for line in sys.stdin:
        url, offers, idle, scale, code = line.rstrip("\n").split("\t")
        offers = offers.split(",") if offers else []
        yield Job(url, offers, float(idle), int(scale), int(code) if code else None)


def run(connect):
    """Does all jobs with a library that blocks."""

    async def connect_async(job):
        return Blocking(connect(job))

    for job in jobs():
        asyncio.run(report(connect_async, job))


def run_async(connect, run_one=asyncio.run):
    """Does all jobs with a library of asyncio, or of another loop that `run_one` runs."""
    for job in jobs():
        run_one(report(connect, job))


async def report(connect, job):
    progress = Progress()
    try:
        subprotocol = await do(connect, job, progress)
        print("ok", subprotocol or "", sep="\t", flush=True)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        print("failed", progress.step, status(error), text, sep="\t", flush=True)


async def do(connect, job, progress):
    client = await connect(job)
    progress.step = "echo"
    await echo(client)
    if job.idle:
        progress.step = "idle"
        await client.idle(job.idle)
        await echo(client)
    progress.step = "close"
    await client.close(job.code)
    return client.subprotocol


async def echo(client):
    for message in (TEXT, BINARY):
        await client.send(message)
        received = await client.receive()
        if received != message:
            raise AssertionError(f"{received!r} came back")


def status(error):
    """The HTTP status, from the names that libraries give it."""
    holder = getattr(error, "response", error)
    for name in ("status_code", "status", "code"):
        value = getattr(holder, name, None)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return ""


class Blocking:
    """Gives a client that blocks the form of one that does not."""

    def __init__(self, client):
        self._client = client

    @property
    def subprotocol(self):
        return self._client.subprotocol

    async def send(self, message):
        self._client.send(message)

    async def receive(self):
        return self._client.receive()

    async def idle(self, seconds):
        self._client.idle(seconds)

    async def close(self, code):
        self._client.close(code)
