"""Libraries of npm, in one folder. No scripts of packages are run."""

import shutil
import subprocess

from registries.ready import DRIVERS, Ready, each, environment, fault


def install(libraries, below):
    if shutil.which("node") is None or shutil.which("npm") is None:
        yield from ((library, "there is no node or no npm") for library in libraries)
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
            yield Ready(library, version(library), command, environment(NODE_PATH=modules))
        else:
            yield library, reason


def packages(library):
    own = [f"{library.package}@{library.version}"] if library.package else []
    return [*own, *library.others]


def runtime(library, modules):
    """The program that runs the driver: one of the package itself, or the node of the system."""
    program = modules / library.runtime if library.runtime else "node"
    return [program, *library.arguments]


def version(library):
    if library.version:
        return library.version
    return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
