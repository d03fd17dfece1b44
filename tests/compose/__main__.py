"""Runs docker-compose.yml with several of each service, and holds it to what it promises.

The end-to-end tests run against its one public port. Then a talk goes on while every container is restarted,
and while the first process of each is killed: nothing acknowledged may be missing, doubled or out of order.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
from aiohttp.test_utils import unused_port

from messenger_shared import tokens
from tests.client import Person
from tests.compose.engine import BUILD_S, ROOT, Engine, NoEngine
from tests.compose.talk import Talk

OURS = ("gateway", "chat-api", "presence")
ALL = (*OURS, "redis", "postgres", "proxy")
# gunicorn's time to leave, and some more; as stop_grace_period says.
GRACE_S = 40
UP_S = 300.0
TESTS_S = 1_800.0
_PASSWORDS = ("POSTGRES", "CHAT_API_DATABASE", "PRESENCE_DATABASE")
_REDIS_USERS = ("GATEWAY", "CHAT_API", "PRESENCE", "OBSERVER")


def main() -> int:
    """Everything, one step after the other; the exit code."""
    port, secret = unused_port(), secrets.token_hex(32)
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.write(_environment(port, secret))
        file.flush()
        try:
            engine = Engine(Path(file.name))
        except NoEngine as reason:
            print(f"skipped: {reason}")
            return 0
        url = f"http://127.0.0.1:{port}"
        try:
            _step("base images", engine.prepare)
            _step("build", lambda: engine.compose("build", timeout_s=BUILD_S))
            _step("up, scaled", lambda: _up(engine))
            _step("look into the containers", lambda: _inspect(engine))
            code = _step("end-to-end tests", lambda: _tests(url, secret))
            asyncio.run(_harm(engine, url, secret))
        finally:
            _step("down", lambda: engine.compose("down", "--volumes", "--timeout=2"))
    return code


def _up(engine: Engine) -> str:
    engine.compose("up", "--detach", timeout_s=UP_S)
    engine.wait_healthy([c for service in OURS for c in engine.containers(service)])
    return ", ".join(f"{len(engine.containers(service))} {service}" for service in ALL)


def _inspect(engine: Engine) -> str:
    """What an attacker who got in would find: no root, nothing to write to, nothing to build with."""
    for service in OURS:
        for container in engine.containers(service):
            assert engine.run_in(container, "id", "-u").stdout.strip() == "10001"
            assert engine.run_in(container, "touch", "/app/x").returncode != 0
            assert engine.run_in(container, "python", "-m", "gateway.settings").returncode == (
                0 if service == "gateway" else 1
            )
            for tool in ("gcc", "make", "uv", "npm", "git"):
                assert engine.run_in(container, "sh", "-c", f"command -v {tool}").returncode != 0, tool
    for service in ("roles", "migrate-chat-api", "migrate-presence"):
        assert [engine.exit_code(c) for c in engine.containers(service)] == [0], service
    return "no root, no writing, no tools; migrations ran"


def _tests(url: str, secret: str) -> int:
    env = {**os.environ, "MESSENGER_TEST_URL": url, "MESSENGER_TEST_JWT_SECRET": secret}
    # test_restart starts a stack of its own, whatever it is told.
    command = [sys.executable, "-m", "pytest", "-q", "tests/e2e", "--ignore=tests/e2e/test_restart.py"]
    return subprocess.run(command, cwd=ROOT, env=env, timeout=TESTS_S, check=False).returncode


async def _harm(engine: Engine, url: str, secret: str) -> None:
    async with aiohttp.ClientSession() as http:
        sender, listener = (
            Person(http, url, user, tokens.mint(user, secret.encode(), 3600)) for user in (1, 2)
        )
        for what, harm, services in (("rolling restart", _restart, OURS), ("kill -9", _kill, ALL)):
            for service in services:
                async with Talk(sender, listener) as talk:
                    await asyncio.to_thread(harm, engine, service)
                    await talk.goes_on()
                    print(f"{what}, {service}: {await talk.finish()}", flush=True)
        await asyncio.gather(sender.leave(), listener.leave())


def _restart(engine: Engine, service: str) -> None:
    """One after the other, as an upgrade would; each ends by itself within its grace."""
    for container in engine.containers(service):
        engine.restart(container, GRACE_S)
        engine.wait_healthy([container])


def _kill(engine: Engine, service: str) -> None:
    for container in engine.containers(service):
        engine.kill(container)
    if service != "proxy":
        engine.wait_healthy(engine.containers(service))


def _step(name: str, work: Callable[[], object]) -> object:
    begun = time.monotonic()
    print(f"{name} …", flush=True)
    found = work()
    print(f"{name}: {time.monotonic() - begun:.0f} s{f', {found}' if found is not None else ''}", flush=True)
    return found


def _environment(port: int, secret: str) -> str:
    origins = ",".join(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))
    values = {
        "MESSENGER_JWT_SECRET": secret,
        "MESSENGER_PORT": str(port),
        "MESSENGER_ALLOWED_ORIGINS": origins,
        # What the tests are written for.
        "MESSENGER_PRESENCE_GRACE_MS": "1500",
        "MESSENGER_DRAIN_S": "4",
        "GATEWAY_WORKERS": "1",
        "CHAT_API_WORKERS": "1",
    }
    names = [*_PASSWORDS, *(f"{user}_REDIS" for user in _REDIS_USERS)]
    values |= {f"{name}_PASSWORD": secrets.token_hex(32) for name in names}
    return "".join(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    sys.exit(main())
