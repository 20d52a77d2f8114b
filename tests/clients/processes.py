"""Processes with all that they start: each is the leader of a process group, which is ended as a whole."""

import os
import signal
import subprocess

# For apt and npm, which leave things half done when they are killed.
END_SECONDS = 20


def start(command, **how):
    return subprocess.Popen([str(part) for part in command], start_new_session=True, **how)


def end(process):
    """Asks the group to end, and kills it if it does not."""
    _send(process, signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    kill(process)


def kill(process):
    """Kills the group."""
    _send(process, signal.SIGKILL)


def _send(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        # They have ended, or sudo has made them another user's.
        pass
