"""The program under test: `longhold` with settings for the matrix, and what its functions recorded."""

import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Waits of two minutes take 15 s: pings, their timeouts and idleness are all this much shorter.
SCALE = 8
IDLE_SECONDS = 120 / SCALE

GATEWAY = """
[listen]
public = "127.0.0.1:0"
internal = "127.0.0.1:0"

[journal]
dir = "{folder}/journal"

[connection]
ping_interval = "{ping}ms"
pong_timeout = "{pong}ms"

[[api]]
id = "api-matrix"
path = "/release/matrix"
register = "matrix-register"
transmit = "matrix-echo"
cleanup = "matrix-cleanup"

[[api]]
id = "api-unreachable"
path = "/release/unreachable"
register = "http://127.0.0.1:{closed_port}/"
transmit = "matrix-echo"
timeout = "1s"

[[api]]
id = "api-setting"
path = "/release/setting"
register = "matrix-register"
transmit = "setting-echo"
cleanup = "matrix-cleanup"
subprotocols = ["second"]
"""

FUNCTIONS = """
[listen]
internal = "127.0.0.1:0"
"""

# A function of recorder/index.py.
RECORDER = """
[functions.matrix-{name}]
runtime = "python3"
handler = "index.{name}"
code = "{code}"
interpreter = "{interpreter}"
environment = {{ RECORD = "{record}" }}
private_tmp = false
"""

# The echo of the API with this name.
ECHO = """
[functions.{name}-echo]
runtime = "rust"
handler = "echo"
environment = {{ url = "${{push}}/api-{name}" }}
"""


class Longhold:
    """A running `longhold`. Its settings, journal and record are in `folder`, its log in `folder`/log."""

    def __init__(self, binary, folder):
        self._folder = folder
        self._record = folder / "record"
        self._record.touch()
        # Bound and not listening: connections to this port are refused.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self._write_settings()
        self._log = open(folder / "log", "wb")
        self._process = subprocess.Popen(
            [binary, "--config-dir", folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self.address = self._ready()["public"]
        except BaseException:
            self.stop()
            raise

    def _write_settings(self):
        values = {
            "folder": self._folder,
            "record": self._record,
            "code": HERE / "recorder",
            "interpreter": sys.executable,
            "closed_port": self._closed.getsockname()[1],
            "ping": 25_000 // SCALE,
            "pong": 20_000 // SCALE,
        }
        (self._folder / "gateway.toml").write_text(GATEWAY.format(**values))
        functions = [FUNCTIONS]
        functions += [RECORDER.format(name=name, **values) for name in ("register", "cleanup")]
        functions += [ECHO.format(name=name) for name in ("matrix", "setting")]
        (self._folder / "functions.toml").write_text("".join(functions))

    def _ready(self, seconds=60):
        # The process is ended if it is not ready in time; then the line is empty.
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RuntimeError(f"longhold did not start:\n{self.log()}")
        return json.loads(line)

    def told(self, jobs, seconds=30):
        """What cleanup was told, by job, as soon as it was told of all these `jobs`, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            told = self._told()
            if set(jobs) <= set(told) or time.monotonic() > deadline:
                return told
            time.sleep(0.05)

    def _told(self):
        jobs, told = {}, {}
        lines = self._record.read_text().splitlines(keepends=True)
        for line in map(json.loads, (line for line in lines if line.endswith("\n"))):
            if "job" in line:
                jobs[line["connection"]] = line["job"]
            elif line["connection"] in jobs:
                told[jobs[line["connection"]]] = line["told"]
        return told

    def log(self):
        return (self._folder / "log").read_text(errors="replace")

    def stop(self):
        """Ends the process: asks with SIGTERM, and kills after 60 s."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
        self._closed.close()
