"""Libraries of npm and the Node that runs them, in one folder. No scripts of packages are run."""

import shutil

from libraries.npm import NODE
from registries.ready import DRIVERS, Ready, each, environment, fault


def install(libraries, below):
    if shutil.which("npm") is None:
        yield from ((library, "there is no npm") for library in libraries)
        return
    folder = below / "node"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    faults = each(libraries, packages, lambda names: fault([*npm, *names], cwd=folder))
    for library, reason in faults.items():
        if reason is None:
            modules = folder / "node_modules"
            command = [*runtime(library, modules), DRIVERS / "node" / library.driver]
            yield Ready(library, library.version, command, environment(NODE_PATH=modules))
        else:
            yield library, reason


def packages(library):
    return [f"{library.package}@{library.version}", "@".join(NODE), *library.others]


def runtime(library, modules):
    """The program that runs the driver: one of the package itself, or Node."""
    program = library.runtime or f"{NODE[0]}/bin/node"
    return [modules / program, *library.arguments]
