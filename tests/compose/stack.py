"""A stack of containers for a check, with a project name of its own."""

import os
import socket
import subprocess
import sys

import engine

LABEL = "com.docker.compose.project"
BUILD_SECONDS = 2400
# What the images are told that they are built from. Always the same, so that layers stay cached.
COMMIT = "0123456789ab"


class Failed(Exception):
    """A command failed, or a check did."""


class Stack:
    """The containers of the files. `up` starts them, and `remove` removes all of them."""

    def __init__(self, compose, files, variables=()):
        self.project = f"longhold-check-{os.getpid()}"
        self.port = free_port()
        self._program = compose
        self._used = []
        self.use(files)
        self._environment = dict(os.environ, LONGHOLD_PUBLISH=f"127.0.0.1:{self.port}")
        # The stack of somebody who works on this machine keeps its image.
        self._environment["LONGHOLD_PYTHON_IMAGE"] = f"{self.project}-function-runner-python"
        self._environment["LONGHOLD_COMMIT"] = COMMIT
        self._environment.update(variables)

    def use(self, files):
        """From now on commands are for the stack of these files, in the same project."""
        arguments = [argument for file in files for argument in ("--file", str(file))]
        self._compose = [*self._program, "--project-name", self.project, *arguments]
        self._used.append(self._compose)

    def build(self):
        """Builds the images, which may take minutes. The output is shown."""
        command = [*self._compose, "build", "--force-rm"]
        run = subprocess.run(
            command,
            cwd=engine.ROOT,
            env=self._environment,
            stdout=sys.stderr,
            timeout=BUILD_SECONDS,
        )
        if run.returncode != 0:
            raise Failed("the images could not be built")

    def up(self):
        self.compose("up", "--detach", "--no-build")

    def up_as_documented(self):
        """The command of docs/docker.md, which builds what is missing."""
        self.compose("up", "--detach", seconds=BUILD_SECONDS)

    def compose(self, *arguments, seconds=180):
        """Runs Compose, and returns its output."""
        return output([*self._compose, *arguments], seconds, self._environment)

    def container(self, service):
        """The id of the container of a service."""
        labels = (f"{LABEL}={self.project}", f"com.docker.compose.service={service}")
        filters = (f"--filter=label={label}" for label in labels)
        return docker("container", "ls", "--all", "--quiet", *filters).strip()

    def inspect(self, service, template):
        """Information about a service's container, in the format of `template`."""
        return docker("inspect", "--format", template, self.container(service)).strip()

    def image_bytes(self, service):
        return image_bytes(self._image(service))

    def names_in(self, volume, folder):
        """The names of the files in a folder of a volume. The services need not run."""
        here = ["--volume", f"{self.project}_{volume}:/volume:ro", "--workdir", "/volume"]
        names = docker(
            *("run", "--rm", "--network", "none", "--label", f"{LABEL}={self.project}", *here),
            *("--entrypoint", "find", self._image("function-runner")),
            *(".", "-path", f"./{folder}/*", "-type", "f", "-printf", r"%f\n"),
        )
        return sorted(names.split())

    def version(self, service):
        """What the program in the image says of itself."""
        return docker("run", "--rm", "--network", "none", self._image(service), "--version").strip()

    def logs(self):
        return self.compose("logs", "--no-color", "--tail", "300")

    def remove(self):
        """Removes everything of the stack, and fails if something is left."""
        for compose in reversed(self._used):
            down = [*compose, "down", "--volumes", "--remove-orphans", "--rmi", "all"]
            output(down, 180, self._environment)
        ours = ("--quiet", "--filter", f"label={LABEL}={self.project}")
        kinds = (["container", "ls", "--all"], ["network", "ls"], ["volume", "ls"])
        left = " ".join(docker(*kind, *ours) for kind in kinds).split()
        if left:
            raise Failed(f"something is left of {self.project}: {' '.join(left)}")

    def _image(self, service):
        return self.inspect(service, "{{.Image}}")


def image_bytes(image):
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def docker(*arguments, seconds=60):
    """Runs docker, and returns its output."""
    return output(["docker", *arguments], seconds, os.environ)


def output(command, seconds, environment):
    run = subprocess.run(
        command, cwd=engine.ROOT, env=environment, capture_output=True, text=True, timeout=seconds
    )
    if run.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {run.stderr.strip()}")
    return run.stdout


def free_port():
    """A free port. It is below the ports that systems give to clients, so it stays free for a while."""
    for port in range(9300, 9800):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no port is free from 9300 to 9800")
