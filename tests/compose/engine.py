"""The container engine of a run, Docker or podman with podman-compose, and one project of containers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.compose import machine

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PROJECT = "messenger-e2e"
COMMAND_S = 120.0
BUILD_S = 1_200.0
HEALTHY_S = 120.0
_POLL_S = 0.5
_BASES = ("python:3.13-slim", "node:20-slim", "postgres:17", "redis:7", "haproxy:3.0")


class NoEngine(Exception):
    """There is no engine; the text says what was looked for."""


class Failed(Exception):
    """A step failed; the text says which, and the remedy if it is known."""


class Engine:
    """One project of containers."""

    def __init__(self, environment: Path) -> None:
        files = ["--file=docker-compose.yml", f"--file={HERE / 'scaled.yml'}"]
        self._files = [f"--env-file={environment}", f"--project-name={PROJECT}", *files]
        self._env = dict(os.environ)
        if _succeeds("docker", "info"):
            self.name = "docker"
            self._compose = ["docker", "compose"]
            if not _succeeds(*self._compose, "version"):
                raise NoEngine("a Docker daemon without its compose plugin")
        elif shutil.which("podman") and (compose := _podman_compose()):
            self.name = "podman"
            # Host networking for the build's downloads; health checks are lost in podman's default format.
            build = "--podman-build-args=--network host --format docker"
            self._compose = [compose, f"--podman-path={HERE / 'podman'}", build]
            self._prepare_podman(environment.with_name("containers.conf"))
        else:
            raise NoEngine("neither a Docker daemon nor podman with podman-compose")

    def prepare(self) -> None:
        """Makes the base images if no registry can be reached, and tests whether a container starts."""
        if self.name != "podman":
            return
        if not all(map(self._has_image, _BASES)):
            for line in machine.missing_for_images():
                raise Failed(line)
            self._run_tool([str(HERE / "stand_ins.sh")], "the base images", BUILD_S)
        trial = ["podman", "run", "--rm", "--network=none", _BASES[0], "true"]
        self._run_tool(trial, "a first container (see containers.conf(5))", COMMAND_S)

    def compose(self, *arguments: str, timeout_s: float = COMMAND_S) -> None:
        """Runs one compose command; raises Failed."""
        self._run_tool([*self._compose, *self._files, *arguments], f"compose {arguments[0]}", timeout_s)

    def containers(self, service: str) -> list[str]:
        """Returns the ids of a service's containers, running or not."""
        labels = {"project": PROJECT, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        return self._run("ps", "--all", "--quiet", *filters).split()

    def restart(self, container: str, grace_s: int) -> None:
        """Stops the container, waits for its end, and starts it again."""
        self._run("stop", f"--time={grace_s}", container)
        self._run("start", container)

    def exit_code(self, container: str) -> int:
        """Returns the exit code of its last run."""
        return int(self._run("inspect", "--format={{.State.ExitCode}}", container))

    def kill(self, container: str) -> None:
        """Kills its first process, as a crash would, so that the engine starts it again."""
        os.kill(self.pid(container), signal.SIGKILL)

    def pid(self, container: str) -> int:
        """Returns the pid of its first process, as the machine numbers it; raises Failed."""
        process = int(self._run("inspect", "--format={{.State.Pid}}", container))
        if process <= 0:
            raise Failed(f"{self._name_of(container)} does not run")
        return process

    def is_healthy(self, container: str) -> bool:
        """Returns the result of the container's health check."""
        if self.name == "podman":
            return _succeeds("podman", "healthcheck", "run", container, env=self._env)
        return self._run("inspect", "--format={{.State.Health.Status}}", container).strip() == "healthy"

    def wait_healthy(self, containers: Sequence[str]) -> None:
        """Returns when all of them are healthy; raises Failed."""
        deadline = time.monotonic() + HEALTHY_S
        for container in containers:
            while not self.is_healthy(container):
                if time.monotonic() > deadline:
                    sys.stderr.write(self._run("logs", "--tail=30", container))
                    raise Failed(f"{self._name_of(container)} is not healthy after {HEALTHY_S:.0f} s")
                time.sleep(_POLL_S)

    def run_in(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command inside the container."""
        line = [self.name, "exec", container, *command]
        return self._complete(line, COMMAND_S)

    def _prepare_podman(self, configuration: Path) -> None:
        for line in machine.missing():
            raise Failed(line)
        if not machine.is_configured():
            configuration.write_text(machine.configuration())
            self._env["CONTAINERS_CONF"] = str(configuration)

    def _name_of(self, container: str) -> str:
        return self._run("inspect", "--format={{.Name}}", container).strip().lstrip("/")

    def _has_image(self, image: str) -> bool:
        if _succeeds("podman", "image", "exists", image, env=self._env):
            return True
        return _succeeds("podman", "pull", "--quiet", image, env=self._env, timeout_s=COMMAND_S)

    def _run(self, *arguments: str) -> str:
        done = self._complete([self.name, *arguments], COMMAND_S)
        if done.returncode != 0:
            raise Failed(f"{self.name} {arguments[0]}: {_last_line(done.stderr)}")
        return done.stdout

    def _run_tool(self, command: Sequence[str], what: str, timeout_s: float) -> None:
        done = self._complete(command, timeout_s)
        if done.returncode != 0:
            sys.stderr.write(done.stdout[-6_000:] + done.stderr[-6_000:])
            raise Failed(f"{what}: {_last_line(done.stderr or done.stdout)}")

    def _complete(self, command: Sequence[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Ends all that the command has started when it takes too long."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        ) as running:
            try:
                out, err = running.communicate(timeout=timeout_s)
            except BaseException as error:
                os.killpg(running.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    name = " ".join(map(str, command[:3]))
                    raise Failed(f"{name} … did not end within {timeout_s:.0f} s") from None
                raise
        return subprocess.CompletedProcess(command, running.returncode, out, err)


def _succeeds(*command: str, env: dict[str, str] | None = None, timeout_s: float = 20) -> bool:
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=timeout_s, check=False)
        return done.returncode == 0
    except (subprocess.TimeoutExpired, OSError):
        return False


def _last_line(text: str) -> str:
    """Returns the last line of a program's output, which usually holds the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it failed without a word"


def _podman_compose() -> str | None:
    beside = Path(sys.executable).with_name("podman-compose")
    return str(beside) if beside.exists() else shutil.which("podman-compose")
