"""Owns how the three services run here: their gunicorn command lines, environments and stop bounds."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from messenger_local.child import Recipe
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.family import Command
from messenger_local.logline import parse_service

_GUNICORN_CONF = Path(__file__).resolve().parents[3] / "gunicorn.conf.py"
_WORKERS_MAX = 64
DEFAULT_WORKERS: Mapping[str, int] = {"gateway": 2, "chat-api": 2, "presence": 1}
SERVICES = tuple(DEFAULT_WORKERS)
# In seconds: for sockets to leave, for requests under way to finish, and until the master is killed. Together
# with the servers' they stay below the 20 s within which the whole stack has to be gone.
_DRAIN_S = 2
_GRACEFUL_S = {"gateway": 6, "chat-api": 2, "presence": 1}
_PATIENCE_S = {"gateway": 7.0, "chat-api": 3.0, "presence": 2.0}
_FACTORIES = {
    "gateway": "messenger_local.gateway_app:create_app",
    "chat-api": "chat_api.app:create_app",
    "presence": "presence.app:create_app",
}
_FOREIGN = ("PG", "GUNICORN_", "MESSENGER_JWT_SECRET", "MESSENGER_DATABASE_URL", "MESSENGER_REDIS_URL")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> str:
        """A host at which this machine itself reaches the service."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def url(self) -> str:
        """An address that a browser on this machine can open."""
        return f"http://{Address(self.reachable, self.port)}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services are told about the stack around them."""

    data: DataDir
    database_url: str
    service_database_urls: Mapping[str, str]
    redis_url: str
    service_redis_urls: Mapping[str, str]
    gateway: Address


def forget_foreign_settings() -> None:
    """Takes from the environment what was said to other servers, and would reach ours through libraries."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]


def parse_workers(text: str) -> dict[str, int]:
    """The worker counts in `gateway=2,chat-api=2`; who is not named keeps the default."""
    workers = dict(DEFAULT_WORKERS)
    for part in filter(None, text.split(",")):
        name, _, count = part.strip().partition("=")
        if name not in workers:
            raise StackError(f"--workers: no service {name!r}; there are {', '.join(workers)}")
        if not count.isdecimal() or not 1 <= int(count) <= _WORKERS_MAX:
            raise StackError(f"--workers: {name} needs a number from 1 to {_WORKERS_MAX}, not {count!r}")
        workers[name] = int(count)
    return workers


def service_recipe(service: str, address: Address, workers: int, around: Surroundings) -> Recipe:
    """How the supervisor runs one of the three services."""
    env = environment(service, around)
    env["MESSENGER_BIND"] = str(address)
    env["MESSENGER_WORKERS"] = str(workers)
    env["MESSENGER_GRACEFUL_S"] = str(_GRACEFUL_S[service])
    argv = (sys.executable, "-m", "gunicorn", "-c", str(_GUNICORN_CONF), _FACTORIES[service])
    return Recipe(
        service=service,
        # Presence is the last that may hold up a message.
        command=Command(argv, around.data.run, env, yields=service == "presence"),
        parse=parse_service,
        stop_signal=signal.SIGTERM,
        patience_s=_PATIENCE_S[service],
    )


def migration(package: str, around: Surroundings) -> Command:
    """The command that brings one service's part of the database up to date."""
    argv = (sys.executable, "-m", f"{package}.migrate")
    env = environment(package.replace("_", "-"), around)
    # The tables' owner; the service itself owns nothing.
    env["MESSENGER_DATABASE_URL"] = around.database_url
    return Command(argv, around.data.run, env)


def environment(service: str, around: Surroundings) -> dict[str, str]:
    """The user's own environment, with what the stack decides put in its place."""
    env = {**os.environ, "MESSENGER_SERVICE": service}
    env["MESSENGER_REDIS_URL"] = around.service_redis_urls[service]
    if service == "gateway":
        env["MESSENGER_JWT_SECRET_FILE"] = str(around.data.secret)
        env["MESSENGER_DRAIN_S"] = str(_DRAIN_S)
        env["MESSENGER_ALLOWED_ORIGINS"] = _origins(around.gateway)
    else:
        env["MESSENGER_DATABASE_URL"] = around.service_database_urls[service]
    return env


def _origins(gateway: Address) -> str:
    own = [Address(host, gateway.port) for host in ("127.0.0.1", "localhost")]
    origins = [f"http://{address}" for address in [*own, gateway]]
    origins += filter(None, os.environ.get("MESSENGER_ALLOWED_ORIGINS", "").split(","))
    return ",".join(dict.fromkeys(origins))
