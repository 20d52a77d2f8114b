"""Libraries of Debian, installed on the system, and drivers in the languages that it has."""

import os
import pathlib
import shutil
import subprocess

from registries.ready import DRIVERS, Ready, each, environment, fault

JARS = pathlib.Path("/usr/share/java")


def install(libraries, below):
    faults = each(libraries, packages, installed)
    for library, reason in faults.items():
        source = DRIVERS / library.driver
        folder = below / "debian" / library.name
        folder.mkdir(parents=True, exist_ok=True)
        build, command = LANGUAGES[source.suffix](library, source, folder)
        if reason is None and build:
            reason = fault(build, env=environment(GO111MODULE="off", GOPATH="/usr/share/gocode"))
        if reason is None:
            yield Ready(library, version(library.package), command, environment(PYTHONPATH=DRIVERS / "python"))
        else:
            yield library, reason


def packages(library):
    return [library.package, *library.others]


def installed(names):
    """Installs those packages that are missing."""
    missing = [name for name in names if not version(name)]
    if not missing:
        return None
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        return f"not installed, and neither root nor sudo is there: {', '.join(missing)}"
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    fault([*as_root, "apt-get", "update", "-qq"])
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq"]
    return fault([*as_root, *apt, "--no-install-recommends", *missing])


def version(package):
    """The version of an installed package, without what Debian adds to it, or an empty string."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", package]
    found = subprocess.run(query, capture_output=True, text=True).stdout
    if not found.startswith("ii"):
        return ""
    return found[2:].strip().split(":")[-1].partition("-")[0].partition("+")[0]


def interpreted(program):
    return lambda library, source, folder: (None, [program, source, *library.arguments])


def java(library, source, folder):
    jars = [jar for pattern in library.arguments for jar in sorted(JARS.glob(pattern))]
    path = ":".join(map(str, [folder, *jars]))
    build = ["javac", "-encoding", "UTF-8", "-cp", path, "-d", folder, source.with_name("Session.java"), source]
    return build, ["java", "-cp", path, source.stem]


def go(library, source, folder):
    program = folder / "driver"
    return ["go", "build", "-o", program, source.with_name("session.go"), source], [program]


def cpp(library, source, folder):
    program = folder / "driver"
    return ["g++", "-std=c++17", "-o", program, source, *library.arguments], [program]


LANGUAGES = {
    ".pl": interpreted("perl"),
    ".rb": interpreted("ruby"),
    ".py": interpreted("/usr/bin/python3"),
    ".java": java,
    ".go": go,
    ".cpp": cpp,
}
