"""Owns the container engine of a run, Docker or podman with podman-compose, and one project of containers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PROJECT = "messenger-e2e"
COMMAND_S = 120.0
BUILD_S = 1_200.0
HEALTHY_S = 120.0
_POLL_S = 0.5
_BASES = ("python:3.11-slim", "node:20-slim", "postgres:17", "redis:7", "haproxy:3.0")


class NoEngine(Exception):
    """There is none here; the text says what was looked for."""


class Engine:
    """One project of containers."""

    def __init__(self, environment: Path) -> None:
        self._env = dict(os.environ)
        files = ["--file=docker-compose.yml", f"--file={HERE / 'scaled.yml'}"]
        self._files = [f"--env-file={environment}", f"--project-name={PROJECT}", *files]
        if shutil.which("docker") and _succeeds("docker", "info"):
            self.name = "docker"
            self._compose = ["docker", "compose"]
        elif shutil.which("podman") and (compose := _podman_compose()):
            self.name = "podman"
            # Host networking for the build's downloads; health checks are lost in podman's default format.
            build = "--podman-build-args=--network host --format docker"
            self._compose = [compose, f"--podman-path={HERE / 'podman'}", build]
        else:
            raise NoEngine("neither a Docker daemon nor podman with podman-compose")

    def prepare(self) -> None:
        """Makes the base images, where no registry is reached."""
        if self.name == "podman" and not all(map(_is_at_hand, _BASES)):
            subprocess.run([HERE / "stand_ins.sh"], check=True, timeout=BUILD_S)

    def compose(self, *arguments: str, timeout_s: float = COMMAND_S) -> None:
        """One compose command; raises CalledProcessError, TimeoutExpired."""
        command = [*self._compose, *self._files, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._env, timeout=timeout_s, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.stderr.write(done.stdout[-6_000:] + done.stderr[-6_000:])
            done.check_returncode()

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers that are there, running or not."""
        labels = {"project": PROJECT, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        return self._run("ps", "--all", "--quiet", *filters).split()

    def restart(self, container: str, grace_s: int) -> None:
        """Tells it to end, waits for that, and starts it again."""
        self._run("stop", f"--time={grace_s}", container)
        self._run("start", container)

    def exit_code(self, container: str) -> int:
        """How it ended last."""
        return int(self._run("inspect", "--format={{.State.ExitCode}}", container))

    def kill(self, container: str) -> None:
        """Ends its first process as a crash would, so that the engine starts it again."""
        os.kill(int(self._run("inspect", "--format={{.State.Pid}}", container)), signal.SIGKILL)

    def is_healthy(self, container: str) -> bool:
        """What the container's own check says."""
        if self.name == "podman":
            return _succeeds("podman", "healthcheck", "run", container)
        return self._run("inspect", "--format={{.State.Health.Status}}", container).strip() == "healthy"

    def wait_healthy(self, containers: Sequence[str]) -> None:
        """Returns when all of them are; raises TimeoutError."""
        deadline = time.monotonic() + HEALTHY_S
        for container in containers:
            while not self.is_healthy(container):
                if time.monotonic() > deadline:
                    sys.stderr.write(self._run("logs", "--tail=30", container))
                    raise TimeoutError(f"{container} is not healthy after {HEALTHY_S:.0f} s")
                time.sleep(_POLL_S)

    def run_in(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command inside of it."""
        line = [self.name, "exec", container, *command]
        return subprocess.run(line, capture_output=True, text=True, timeout=COMMAND_S, check=False)

    def _run(self, *arguments: str) -> str:
        command = [self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=True)
        return done.stdout


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _is_at_hand(image: str) -> bool:
    return _succeeds("podman", "image", "exists", image) or _succeeds("podman", "pull", "--quiet", image)


def _podman_compose() -> str | None:
    beside = Path(sys.executable).with_name("podman-compose")
    return str(beside) if beside.exists() else shutil.which("podman-compose")
