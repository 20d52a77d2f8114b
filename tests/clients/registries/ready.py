"""A library that is installed, and a helper for those who install."""

import dataclasses
import os
import pathlib
import subprocess

import processes

DRIVERS = pathlib.Path(__file__).resolve().parent.parent / "drivers"

INSTALL_SECONDS = 900


@dataclasses.dataclass
class Ready:
    """What is needed to start the driver of a library."""

    library: object
    version: str
    command: list
    environment: dict

    @property
    def title(self):
        return f"{self.library.name} {self.version}".strip()


def environment(**more):
    """The environment of this process, with more variables."""
    return {**os.environ, **{name: str(value) for name, value in more.items()}}


def fault(command, **how):
    """Runs a command. Returns None if it succeeded, else its last line."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = processes.start(command, **pipes, text=True, errors="replace", **how)
    except OSError as error:
        return str(error)
    try:
        output, _ = process.communicate(timeout=INSTALL_SECONDS)
    except BaseException as error:
        processes.end(process)
        if isinstance(error, subprocess.TimeoutExpired):
            return str(error)
        raise
    lines = [line for line in output.splitlines() if line.strip()] or ["no output"]
    return None if process.returncode == 0 else lines[-1]


def each(libraries, packages, install):
    """Installs all packages in one go and, if that fails, those of one library at a time."""
    all_packages = sorted({package for library in libraries for package in packages(library)})
    if not all_packages or install(all_packages) is None:
        return {library: None for library in libraries}
    return {library: install(sorted(packages(library))) for library in libraries}
