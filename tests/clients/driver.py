"""The process that uses one library: a line of standard input is a job, a line of its output the result.

A job is `URL, offers, idle seconds, scale, close code` and a result is `ok, subprotocol` or
`failed, step, HTTP status, error`, with tabs between. Other lines of the output are ignored.
"""

import dataclasses
import subprocess
import threading

import processes
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


class Stopped(Exception):
    """The driver was stopped, and does no more jobs."""


class Driver:
    """A process, started when it is needed, and again after it has ended."""

    def __init__(self, command, environment, log):
        self._command, self._environment = command, environment
        self._log_path, self._log = log, open(log, "wb")
        self._process = None
        # Guards the two below: jobs are done in another thread than the one that stops the driver.
        self._lock = threading.Lock()
        self._is_stopped = False

    def run(self, url, job):
        """Does one job."""
        process = self._running()
        code = "" if job.code is None else str(job.code)
        line = "\t".join((url, job.offers, f"{job.idle:g}", str(SCALE), code))
        timer = threading.Timer(JOB_SECONDS, processes.kill, [process])
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return result(process) or self._ended(process)
        except BrokenPipeError:
            return self._ended(process)
        finally:
            timer.cancel()

    def stop(self):
        """Kills the process, which ends the job that runs. No further one begins."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                processes.kill(self._process)

    def close(self):
        """Stops. No job may run any more."""
        self.stop()
        if self._process is not None:
            self._process.communicate()
        self._log.close()

    def _running(self):
        with self._lock:
            if self._is_stopped:
                raise Stopped
            if self._process is not None and self._process.poll() is not None:
                self._process.communicate()
                self._process = None
            if self._process is None:
                self._process = processes.start(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    env=self._environment,
                    text=True,
                    errors="replace",
                )
            return self._process

    def _ended(self, process):
        processes.kill(process)
        # Closes the pipes, and drops what could not be sent.
        process.communicate()
        with self._lock:
            self._process = None
        lines = self._log_path.read_text(errors="replace").splitlines()
        error = [line for line in lines if "error" in line.lower()] or lines
        return Result(failed="driver", error=" ".join(["the driver ended", *error[-1:]]))


def result(process):
    """The result of a job, or None if the process has ended."""
    for line in process.stdout:
        fields = line.rstrip("\n").split("\t")
        if fields[0] == "ok":
            return Result(subprotocol=fields[1])
        if fields[0] == "failed":
            return Result(failed=fields[1], status=fields[2], error=fields[3])
    return None
