"""Libraries of crates.io. Their drivers are one package, in which each library is a feature."""

import shutil

from registries.ready import DRIVERS, Ready, each, environment, fault


def install(libraries, below):
    if shutil.which("cargo") is None:
        yield from ((library, "there is no cargo") for library in libraries)
        return
    target = below / "rust"
    variables = environment(CARGO_TARGET_DIR=target)

    def build(names):
        command = ["cargo", "build", "--quiet", "--locked", "--features", ",".join(names), "--bins"]
        return fault(command, cwd=DRIVERS / "rust", env=variables)

    faults = each(libraries, lambda library: [library.package], build)
    for library, reason in faults.items():
        if reason is None:
            yield Ready(library, library.version, [target / "debug" / library.driver], environment())
        else:
            yield library, reason
