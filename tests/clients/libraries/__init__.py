"""The client libraries that are tried, by the registry that has them."""

from libraries import crates, debian, npm, pypi

REGISTRIES = {
    "PyPI": pypi.LIBRARIES,
    "npm": npm.LIBRARIES,
    "crates.io": crates.LIBRARIES,
    "Debian": debian.LIBRARIES,
}
