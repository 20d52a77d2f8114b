"""Installs libraries from their registries."""

from registries import crates, debian, npm, pypi

REGISTRIES = {"PyPI": pypi, "npm": npm, "crates.io": crates, "Debian": debian}


def all_of(wanted, below):
    """Installs the libraries of each registry. Returns those that can be used, and the others with a reason."""
    ready, skipped = [], []
    for registry, libraries in wanted.items():
        print(f"installing {len(libraries)} libraries of {registry}", flush=True)
        for result in REGISTRIES[registry].install(libraries, below):
            (skipped if isinstance(result, tuple) else ready).append(result)
    return ready, skipped
