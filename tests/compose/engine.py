"""Finds the container engine, Compose and the base images for the checks.

Missing base images are made by a script if there is one, else fetched from the registry. Nothing else
on the machine is changed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The default path of the script that makes base images. LONGHOLD_BASE_IMAGES sets another one.
BASE_IMAGES = ROOT / "../shared/tools/make-base-images.sh"


class Unavailable(Exception):
    """The checks cannot run on this machine. The text says what is missing."""


def prepare(dockerfiles):
    """Provides everything for building these files. Returns the command of Compose."""
    images = {image for file in dockerfiles for image in base_images(file)}
    script = Path(os.environ.get("LONGHOLD_BASE_IMAGES") or BASE_IMAGES)
    if script.is_file() and not (engine_answers() and all(map(has_image, images))):
        print(f"making the base images with {script.name}", flush=True)
        failure = outcome([script], seconds=900)
        if failure is not None:
            print(f"{script.name} failed: {failure}", flush=True)
    if not shutil.which("docker"):
        raise Unavailable("the command docker is not installed")
    if not engine_answers():
        raise Unavailable("no container engine answers (docker version fails)")
    for image in filter(lambda image: not has_image(image), images):
        print(f"fetching {image}", flush=True)
        failure = outcome(["docker", "pull", "--quiet", image], seconds=300)
        if failure is not None:
            what = f"the image {image} is not on this machine and cannot be fetched from a registry"
            raise Unavailable(f"{what} ({failure})")
    for compose in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(compose[0]) and succeeds(*compose, "version"):
            return compose
    raise Unavailable("neither docker compose nor docker-compose is installed")


def base_images(dockerfile):
    """The images that a Dockerfile is based on, without its own stages."""
    text = dockerfile.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    return set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages


def engine_answers():
    return bool(shutil.which("docker")) and succeeds("docker", "version")


def has_image(image):
    return succeeds("docker", "image", "inspect", image)


def succeeds(*command, seconds=60):
    """Whether a command succeeds."""
    return outcome(command, seconds) is None


def outcome(command, seconds):
    """None if a command succeeds; else the last lines of its output."""
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if run.returncode == 0 else "\n".join(run.stdout.splitlines()[-10:])
