"""Runs checks: finds the engine, builds and starts the stack, and removes it afterwards."""

import asyncio
import os
import signal
import sys
import time

import engine
from checks import say
from stack import Stack

# The limit for all checks of a stack. The build has a limit of its own.
CHECKS_SECONDS = 600


def session(title, files, check, dockerfiles=("Dockerfile",), variables=()):
    """Runs `check` on a stack of these files. Returns the exit code of the process."""
    # SIGTERM raises an exception, so that the stack is removed then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"checking {title}", flush=True)
    try:
        compose = engine.prepare([engine.ROOT / file for file in dockerfiles])
    except engine.Unavailable as reason:
        print(f"NOT CHECKED: {reason}. Nothing was built and nothing was started.")
        return 1 if os.environ.get("CI") else 0
    stack = Stack(compose, files, variables)
    try:
        begin = time.monotonic()
        stack.build()
        say(f"images built in {time.monotonic() - begin:.0f} s")
        asyncio.run(asyncio.wait_for(check(stack), CHECKS_SECONDS))
    except Exception as error:
        print(f"FAILED: {error or repr(error)}", flush=True)
        show_logs(stack)
        return 1
    finally:
        stack.remove()
    print("passed, and the stack was removed", flush=True)
    return 0


def show_logs(stack):
    try:
        print(stack.logs(), flush=True)
    except Exception as error:
        print(f"the logs could not be read: {error}", flush=True)
