"""The table of docs/clients.md, made of what is expected of the libraries."""

import difflib

from library import NO_CLOSE, VALID
from longhold import ROOT

FILE = ROOT / "docs" / "clients.md"


def differences(registries):
    """The rows that the document has and should not have, with `-`, and those that it lacks, with `+`."""
    # The first row is the heading.
    written = [line for line in FILE.read_text().splitlines() if line.startswith("| ")][1:]
    names = ("docs/clients.md", "tests/clients/libraries")
    return list(difflib.unified_diff(written, rows(registries), *names, lineterm="", n=0))


def rows(registries):
    return [row(registry, library) for registry, libraries in registries.items() for library in libraries]


def row(registry, library):
    name = f"{library.name} {library.version}".strip()
    status = "yes" if library.names_status else "no"
    cells = (name, registry, unchosen(library), default_close(library), library.pongs, pings(library), status)
    return f"| {' | '.join(cells)} |"


def unchosen(library):
    if not library.offers:
        return "offers none"
    return "fails" if library.needs_subprotocol else "stays open"


def default_close(library):
    if library.default_code is None:
        return "no code"
    if library.default_code == NO_CLOSE:
        return "no Close"
    return f"{library.default_code}" if library.default_code in VALID else f"{library.default_code}, not allowed"


def pings(library):
    return f"every {library.pings} s" if library.pings else "no"
