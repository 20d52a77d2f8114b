"""The process that uses one library: a line of standard input is a job, a line of its output the result.

A job is `URL, offers, idle seconds, scale, close code` and a result is `ok, subprotocol` or
`failed, step, HTTP status, error`, with tabs between. Other lines of the output are ignored.
"""

import dataclasses
import subprocess
import threading

from longhold import SCALE

# A job takes milliseconds, or the seconds of its idleness. This is for a machine under load.
JOB_SECONDS = 60


@dataclasses.dataclass
class Result:
    """How a job went, as the library tells it. `failed` is the step that failed, or empty."""

    subprotocol: str = ""
    failed: str = ""
    status: str = ""
    error: str = ""


class Driver:
    """A process, started when it is needed, and again after it has ended."""

    def __init__(self, command, environment, log):
        self._command, self._environment = command, environment
        self._log_path, self._log = log, open(log, "wb")
        self._process = None

    def run(self, url, job):
        """Does one job."""
        if self._process is None:
            self._start()
        code = "" if job.code is None else str(job.code)
        line = "\t".join((url, job.offers, f"{job.idle:g}", str(SCALE), code))
        timer = threading.Timer(JOB_SECONDS, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return self._result()
        except BrokenPipeError:
            return self._ended()
        finally:
            timer.cancel()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._log.close()

    def _start(self):
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environment,
            text=True,
            errors="replace",
        )

    def _result(self):
        for line in self._process.stdout:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "ok":
                return Result(subprotocol=fields[1])
            if fields[0] == "failed":
                return Result(failed=fields[1], status=fields[2], error=fields[3])
        return self._ended()

    def _ended(self):
        self._process.kill()
        self._process.wait()
        self._process = None
        lines = self._log_path.read_text(errors="replace").splitlines()
        error = [line for line in lines if "error" in line.lower()] or lines
        return Result(failed="driver", error=" ".join(["the driver ended", *error[-1:]]))
