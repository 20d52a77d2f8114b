"""Raises the exception that the event names."""

import sys


class NoText(Exception):
    def __str__(self):
        return None


class FailingText(Exception):
    def __str__(self):
        raise KeyError("text")

    __repr__ = __str__


class LeavingText(Exception):
    def __str__(self):
        sys.exit(3)

    __repr__ = __str__


class NoTrace(Exception):
    @property
    def __traceback__(self):
        raise KeyError("trace")


def chained():
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error


def unchained():
    try:
        raise KeyError("inner")
    except KeyError:
        raise ValueError("outer")


def grouped():
    # Python 3.10 has none.
    group = getattr(sys.modules["builtins"], "ExceptionGroup", lambda _, parts: parts[0])
    raise group("both", [ValueError("first"), KeyError("second")])


def groups(parts, depth):
    # Python 3.10 has none.
    group = getattr(sys.modules["builtins"], "ExceptionGroup", lambda _, parts: parts[0])
    for _ in range(depth):
        parts = [group("no luck", parts)] * 15
    raise parts[0]


def deep():
    deep()


def throw(error):
    raise error


ODD = {
    "no text": lambda: throw(NoText("no luck")),
    "failing text": lambda: throw(FailingText("no luck")),
    "leaving text": lambda: throw(LeavingText("no luck")),
    "no trace": lambda: throw(NoTrace("no luck")),
    "cause": chained,
    "context": unchained,
    "group": grouped,
    "many errors": lambda: groups([ValueError("no luck")] * 15, 12),
    "long errors": lambda: groups([ValueError("no luck" + "x" * (7 << 20))] * 100, 1),
    "deep": deep,
    "long": lambda: throw(ValueError("x" * (7 << 20))),
    "surrogate": lambda: throw(ValueError("\ud800 no luck")),
    "interrupt": lambda: throw(KeyboardInterrupt("no luck")),
    "generator": lambda: throw(GeneratorExit("no luck")),
    "exit": lambda: sys.exit("no luck"),
}


def main_handler(event, context):
    return ODD[event]() if event in ODD else event
