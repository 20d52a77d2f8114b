"""Libraries of PyPI, in a virtual environment."""

import sys

from registries.ready import DRIVERS, Ready, each, environment, fault


def install(libraries, below):
    folder = below / "python"
    python = folder / "bin" / "python"
    made = None if python.exists() else fault([sys.executable, "-m", "venv", folder])
    if made is not None:
        yield from ((library, f"no virtual environment: {made}") for library in libraries)
        return
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    faults = each(libraries, packages, lambda names: fault([*pip, *names]))
    for library, reason in faults.items():
        if reason is None:
            command = [python, DRIVERS / "python" / library.driver]
            yield Ready(library, library.version, command, environment(PYTHONDONTWRITEBYTECODE=1))
        else:
            yield library, reason


def packages(library):
    return [f"{library.package}=={library.version}", *library.others]
