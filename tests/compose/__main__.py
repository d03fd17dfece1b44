"""Runs docker-compose.yml with several containers of each service, and tests its promises.

The end-to-end tests run against its one public port. Then a conversation goes on while every container is
restarted, and while the first process of each is killed. No acknowledged message may be missing, doubled or
out of order, and nobody may wait longer than BOUNDS_S.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
from aiohttp.test_utils import unused_port

from messenger_shared.contract import tokens
from tests.client import User
from tests.compose.continuous_chat import ContinuousChat
from tests.compose.engine import BUILD_S, ROOT, Engine, Failed, NoEngine
from tests.compose.pace import slowness

OURS = ("gateway", "chat-api", "presence", "feed")
ALL = (*OURS, "redis", "postgres", "proxy")
# gunicorn's time to leave, and a margin; the same as stop_grace_period.
GRACE_S = 40
UP_S = 300.0
TESTS_S = 1_800.0
# How long the sender may wait at most when all containers of a service are killed at once. The median of
# KILLS counts, since other programs may need the machine too. A container is up again after half a second;
# its service needs a second of work to start, on two cores for all of them together. A gateway must also pass
# a check of the proxy, every half second. A chat-api announces itself, and is asked at once. When others take
# the cores, a second of work takes several seconds, and the bound grows by the same factor.
BOUNDS_S: Final = {"gateway": 5.0, "chat-api": 3.0}
KILLS: Final = 3
# From here on a wait is explained by what each try met.
SLOW_S: Final = 2.0
# What the tests are written for.
_TESTED: Final = {"MESSENGER_PRESENCE_GRACE_MS": "1500", "MESSENGER_DRAIN_S": "4"}
_PASSWORDS = ("POSTGRES", "CHAT_API_DATABASE", "PRESENCE_DATABASE")
Disruption = Callable[[Engine, str], None]
T = TypeVar("T")
_REDIS_USERS = ("GATEWAY", "CHAT_API", "PRESENCE", "FEED", "OBSERVER")


def main() -> int:
    """Runs all steps; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="messenger-e2e-") as folder:
        try:
            return _run(Path(folder))
        except NoEngine as reason:
            print(f"skipped: {reason}")
            return 0
        except (Failed, AssertionError, TimeoutError, OSError, subprocess.SubprocessError) as error:
            print(f"failed: {_reason(error)}", file=sys.stderr)
            return 1


def _run(folder: Path) -> int:
    port, secret = unused_port(), secrets.token_hex(32)
    environment = folder / ".env"
    environment.write_text(settings(port, secret, _TESTED))
    engine = Engine(environment)
    url = f"http://127.0.0.1:{port}"
    _step("base images", engine.prepare)
    _step("build", lambda: engine.compose("build", timeout_s=BUILD_S))
    try:
        _step("up, scaled", lambda: _up(engine))
        _step("look into the containers", lambda: _inspect(engine))
        code = _step("end-to-end tests", lambda: _tests(url, secret))
        asyncio.run(_disrupt(engine, url, secret))
    finally:
        _step("down", lambda: _down(engine))
    return code


def _reason(error: Exception) -> str:
    """Returns the error's text; without one, the place that it comes from."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return str(error) or f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}, {place.line}"


def _down(engine: Engine) -> str | None:
    """Removes everything; a failure of that must not hide an earlier one."""
    try:
        engine.compose("down", "--volumes", "--timeout=2")
    except Failed as error:
        return str(error)
    return None


def _up(engine: Engine) -> str:
    engine.compose("up", "--detach", timeout_s=UP_S)
    engine.wait_healthy([c for service in OURS for c in engine.containers(service)])
    return ", ".join(f"{len(engine.containers(service))} {service}" for service in ALL)


def _inspect(engine: Engine) -> str:
    """Checks what an intruder would find: no root, nothing writable, no build tools."""
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
    # test_restart starts its own stack in any case.
    command = [sys.executable, "-m", "pytest", "-q", "tests/e2e", "--ignore=tests/e2e/test_restart.py"]
    return subprocess.run(command, cwd=ROOT, env=env, timeout=TESTS_S, check=False).returncode


async def _disrupt(engine: Engine, url: str, secret: str) -> None:
    async with aiohttp.ClientSession() as http:
        sender, listener = (
            User(http, url, user, tokens.mint(user, secret.encode(), 3600)) for user in (1, 2)
        )
        for service in OURS:
            await _chat_during("rolling restart", _restart, engine, service, ContinuousChat(sender, listener))
        for service in ALL:
            waits: list[float] = []
            paces: list[float] = [await asyncio.to_thread(slowness)]
            for _ in range(KILLS if service in BOUNDS_S else 1):
                waits.append(
                    await _chat_during("kill -9", _kill, engine, service, ContinuousChat(sender, listener))
                )
                paces.append(await asyncio.to_thread(slowness))
            if service in BOUNDS_S:
                _judge(service, waits, paces)
        await asyncio.gather(sender.leave(), listener.leave())


def _judge(service: str, waits: list[float], paces: list[float]) -> None:
    """Raises AssertionError when senders waited too long for the machine's present pace."""
    wait, pace = statistics.median(waits), statistics.median(paces)
    bound_s = BOUNDS_S[service] * pace
    summary = f"every {service} killed: waits {', '.join(f'{w:.1f}' for w in waits)} s, median {wait:.1f} s"
    print(f"{summary}; the machine {pace:.1f} times as slow as alone, bound {bound_s:.1f} s", flush=True)
    assert wait <= bound_s, f"{summary}, above {bound_s:.1f} s"


async def _chat_during(
    what: str, disruption: Disruption, engine: Engine, service: str, chat: ContinuousChat
) -> float:
    """Returns how long the sender waited at most."""
    async with chat:
        await asyncio.to_thread(disruption, engine, service)
        await chat.wait_until_flowing()
        # Not earlier: asking the containers would take CPU that they need to start.
        await asyncio.to_thread(_settle, engine, service)
        await chat.wait_until_flowing()
        print(f"{what}, {service}: {await chat.finish()}", flush=True)
    if chat.longest_s > SLOW_S:
        print(f"the tries of the longest wait: {'; '.join(chat.longest_attempts)}", flush=True)
    return chat.longest_s


def _restart(engine: Engine, service: str) -> None:
    """Restarts one container after the other, as in an upgrade; each ends by itself within its grace."""
    for container in engine.containers(service):
        engine.restart(container, GRACE_S)
        engine.wait_healthy([container])


def _kill(engine: Engine, service: str) -> None:
    for container in engine.containers(service):
        engine.kill(container)


def _settle(engine: Engine, service: str) -> None:
    if service != "proxy":
        engine.wait_healthy(engine.containers(service))


def _step(name: str, work: Callable[[], T]) -> T:
    begun = time.monotonic()
    print(f"{name} …", flush=True)
    found = work()
    print(f"{name}: {time.monotonic() - begun:.0f} s{f', {found}' if found is not None else ''}", flush=True)
    return found


def settings(port: int, secret: str, values: Mapping[str, str]) -> str:
    """Returns an `.env` file with fresh passwords, the port, the secret and these values."""
    origins = ",".join(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))
    names = [*_PASSWORDS, *(f"{user}_REDIS" for user in _REDIS_USERS)]
    rows = {
        "MESSENGER_JWT_SECRET": secret,
        "MESSENGER_PORT": str(port),
        "MESSENGER_ALLOWED_ORIGINS": origins,
        "GATEWAY_WORKERS": "1",
        "CHAT_API_WORKERS": "1",
        **{f"{name}_PASSWORD": secrets.token_hex(32) for name in names},
        **values,
    }
    return "".join(f"{name}={value}\n" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())
