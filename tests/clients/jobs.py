"""What each library does: one job is one connection, from the handshake to its end."""

import dataclasses
import urllib.parse

import library
from longhold import IDLE_SECONDS

OFFERS = "first,second"
LOST = "lost in idleness"


@dataclasses.dataclass(frozen=True)
class Job:
    """One connection. `expected` is how it goes, in the words of `judge`."""

    name: str
    expected: str
    path: str = "/release/matrix"
    register: str = "accepts"
    offers: str = ""
    idle: float = 0
    code: int | None = None
    # Which column of the table it belongs to.
    column: str = ""

    def url(self, address, key):
        query = urllib.parse.urlencode({"job": key, "register": self.register})
        return f"ws://{address}{self.path}?{query}"


def jobs(of):
    """The jobs of a library that are done one after the other; those of `idle` come apart."""
    yield Job("echo", of.default_close, column="echo")
    if of.offers:
        yield from subprotocols(of)
    for code in library.CODES:
        yield Job(f"close {code}", of.closes(code), code=code, column="close")
    yield from refusals(of)


def subprotocols(of):
    chosen = f"{'second' if of.tells_subprotocol else 'none'}, {of.default_close}"
    yield Job("chosen", chosen, register="chooses", offers=OFFERS, column="chosen")
    unchosen = "not opened" if of.needs_subprotocol else f"none, {of.default_close}"
    yield Job("unchosen", unchosen, offers=OFFERS, column="unchosen")
    yield Job("setting", chosen, path="/release/setting", offers=OFFERS, column="setting")


def refusals(of):
    for status, path, register in (
        (403, "/release/matrix", "refuses"),
        (404, "/release/absent", "accepts"),
        (503, "/release/unreachable", "accepts"),
    ):
        expected = f"not opened, {status}" if of.names_status else "not opened"
        yield Job(f"refused {status}", expected, path=path, register=register, column="refused")


def idle(of):
    """The library's own pings and those of the gateway go through two minutes of idleness, scaled."""
    expected = of.default_close if of.idles else LOST
    return Job("idle", expected, idle=IDLE_SECONDS, column="idle")
