"""A library that is installed, and a helper for those who install."""

import dataclasses
import os
import pathlib
import subprocess

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
    try:
        run = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=INSTALL_SECONDS,
            **how,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line for line in run.stdout.splitlines() if line.strip()] or ["no output"]
    return None if run.returncode == 0 else lines[-1]


def each(libraries, packages, install):
    """Installs all packages in one go and, if that fails, those of one library at a time."""
    all_packages = sorted({package for library in libraries for package in packages(library)})
    if not all_packages or install(all_packages) is None:
        return {library: None for library in libraries}
    return {library: install(sorted(packages(library))) for library in libraries}
