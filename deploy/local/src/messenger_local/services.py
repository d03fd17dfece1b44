"""Makes the gunicorn command line, environment and stop limits of each service in this stack."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from messenger_local.child import ProcessSpec
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.logline import parse_service
from messenger_local.processes import Command

_GUNICORN_CONF = Path(__file__).resolve().parents[3] / "gunicorn.conf.py"
SERVICES = ("gateway", "chat-api", "presence", "feed")
# Worker processes of the services, and servers of Redis.
DEFAULT_WORKERS: Mapping[str, int] = {"gateway": 2, "chat-api": 2, "presence": 1, "feed": 1, "redis": 1}
_WORKERS_MAX = 64
# Without it messages are sent, read and found as before; only the search index stays as it is.
_OPTIONAL = "feed"
# In seconds: for sockets to leave, for requests under way to finish, and until the master is killed. The stop
# of the whole stack has one limit; time that some services didn't need goes to those that still stop.
_DRAIN_S = 2
_GRACEFUL_S = {"gateway": 6, "chat-api": 6, "presence": 6, "feed": 6}
_STOP_TIMEOUT_S = {"gateway": 7.0, "chat-api": 5.0, "presence": 5.0, "feed": 5.0}
# presence and the feed get a third of the others' share of a busy processor, so that they delay messages
# least. The share is never zero: otherwise programs that keep all processors busy would stop them altogether.
_NICE = {"presence": 5, "feed": 5}
# Those that make requests to the outside, or decide where they may go.
_OUTGOING = ("chat-api", "feed")
_FACTORIES = {
    "gateway": "messenger_local.gateway_app:create_app",
    "chat-api": "chat_api.app:create_app",
    "presence": "presence.app:create_app",
    "feed": "chat_api.feed.app:create_app",
}
_REMOVED_PREFIXES = (
    "PG",
    "GUNICORN_",
    "MESSENGER_JWT_SECRET",
    "MESSENGER_DATABASE_URL",
    "MESSENGER_REDIS_URL",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> str:
        """The host at which this machine reaches the service."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The URL for a browser on this machine."""
        return f"http://{Address(self.reachable, self.port)}"


@dataclass(frozen=True, slots=True)
class StackContext:
    """The addresses and the data directory that the services get from the stack."""

    data: DataDir
    database_url: str
    service_database_urls: Mapping[str, str]
    # One or several, separated by commas, as MESSENGER_REDIS_URL has them.
    redis_url: str
    service_redis_urls: Mapping[str, str]
    gateway: Address


def remove_foreign_settings() -> None:
    """Removes variables meant for other servers, which libraries would apply to ours."""
    for name in [name for name in os.environ if name.startswith(_REMOVED_PREFIXES)]:
        del os.environ[name]


def parse_workers(text: str) -> dict[str, int]:
    """Parses `gateway=2,redis=3`; what isn't named keeps the default. Raises StackError."""
    workers = dict(DEFAULT_WORKERS)
    for part in filter(None, text.split(",")):
        name, _, count = part.strip().partition("=")
        if name not in workers:
            raise StackError(f"--workers: no service {name!r}; there are {', '.join(workers)}")
        fewest = 0 if name == _OPTIONAL else 1
        if not count.isdecimal() or not fewest <= int(count) <= _WORKERS_MAX:
            raise StackError(
                f"--workers: {name} needs a number from {fewest} to {_WORKERS_MAX}, not {count!r}"
            )
        workers[name] = int(count)
    return workers


def service_spec(service: str, address: Address, workers: int, context: StackContext) -> ProcessSpec:
    """How the supervisor runs one of the services."""
    env = environment(service, context)
    env["MESSENGER_BIND"] = str(address)
    env["MESSENGER_WORKERS"] = str(workers)
    env["MESSENGER_GRACEFUL_S"] = str(_GRACEFUL_S[service])
    argv = (sys.executable, "-m", "gunicorn", "-c", str(_GUNICORN_CONF), _FACTORIES[service])
    return ProcessSpec(
        service=service,
        command=Command(argv, context.data.run, env, nice=_NICE.get(service, 0)),
        parse=parse_service,
        stop_signal=signal.SIGTERM,
        stop_timeout_s=_STOP_TIMEOUT_S[service],
    )


def migration(package: str, context: StackContext) -> Command:
    """The command that migrates one service's part of the database."""
    argv = (sys.executable, "-m", f"{package}.migrate")
    env = environment(package.replace("_", "-"), context)
    # Migrations run as the tables' owner; the service's own role owns nothing.
    env["MESSENGER_DATABASE_URL"] = context.database_url
    return Command(argv, context.data.run, env)


def environment(service: str, context: StackContext) -> dict[str, str]:
    """The user's own environment, overridden by the stack's own values."""
    env = {**os.environ, "MESSENGER_SERVICE": service}
    env["MESSENGER_REDIS_URL"] = context.service_redis_urls[service]
    if service == "gateway":
        env["MESSENGER_JWT_SECRET_FILE"] = str(context.data.secret)
        env["MESSENGER_DRAIN_S"] = str(_DRAIN_S)
        env["MESSENGER_ALLOWED_ORIGINS"] = _origins(context.gateway)
        if (folder := files_dir(context.data)) is not None:
            env["MESSENGER_FILES_DIR"] = str(folder)
    else:
        env["MESSENGER_DATABASE_URL"] = context.service_database_urls[service]
    if service in _OUTGOING:
        # Receivers under development run beside this stack.
        env.setdefault("MESSENGER_OUTGOING_LOOPBACK", "1")
    return env


def files_dir(data: DataDir) -> Path | None:
    """The folder for uploaded files; None if they are in an S3 store."""
    if os.environ.get("MESSENGER_FILES_S3_URL"):
        return None
    return Path(os.environ.get("MESSENGER_FILES_DIR") or data.files)


def _origins(gateway: Address) -> str:
    own = [Address(host, gateway.port) for host in ("127.0.0.1", "localhost")]
    origins = [f"http://{address}" for address in [*own, gateway]]
    origins += filter(None, os.environ.get("MESSENGER_ALLOWED_ORIGINS", "").split(","))
    return ",".join(dict.fromkeys(origins))
