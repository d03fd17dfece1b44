"""Starts the servers under load: the embedded stack without its limits, and the naive server on its
PostgreSQL.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from aiohttp.test_utils import unused_port

from messenger_local.datadir import DataDir, existing_secret
from tests.bench.programs import BenchError
from tests.bench.usage import Roots
from tests.stack import running_stack

_START_DEADLINE_S = 15.0
_POLL_S = 0.1
_LINES_SHOWN = 15
_DATABASE = "naive"
_SERVICES = ("gateway", "chat-api", "presence", "feed", "redis", "postgres")
NO_LIMITS = {
    "MESSENGER_MESSAGES_PER_S": "0",
    "MESSENGER_FRAMES_PER_S": "0",
    "MESSENGER_MAX_SOCKETS": "0",
}


@dataclass(frozen=True)
class Server:
    """A server that is ready for load."""

    name: str
    port: int
    secret: bytes
    roots: Roots
    database_url: str = ""
    # What tells load.c the server's protocol.
    generator_options: tuple[str, ...] = ()


def stop_on_sigterm() -> None:
    """Makes SIGTERM act as Ctrl-C, so that a run ended by a time limit leaves no servers behind."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def allow_many_files() -> None:
    """Raises the limit of open files for this process and its children to the system's maximum."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.asynccontextmanager
async def embedded_stack(name: str, directory: Path, workers: str) -> AsyncIterator[Server]:
    """Yields the services with their PostgreSQL and Redis. The data directory may have data already."""
    port = unused_port()
    data_dir = directory / "data"
    async with running_stack(data_dir, port, workers, NO_LIMITS) as stack:
        rows = (await stack.status())["processes"]
        roots = {
            # Of several Redis servers, the others are redis-2 and so on.
            service: frozenset(row["pid"] for row in rows if row["service"].startswith(service))
            for service in _SERVICES
        }
        secret = existing_secret(DataDir.at(str(data_dir)))
        with _explained(lambda: stack.output):
            yield Server(name, port, secret, roots, stack.database_url)


@contextlib.asynccontextmanager
async def naive_server(
    name: str, directory: Path, database_url: str, postgres: frozenset[int]
) -> AsyncIterator[Server]:
    """Yields the naive server, with its own database on that PostgreSQL."""
    port = unused_port()
    secret = b"0" * 64
    env = os.environ | {
        "MESSENGER_DATABASE_URL": _new_database(database_url),
        "MESSENGER_JWT_SECRET": secret.decode(),
    }
    argv = (sys.executable, "-m", "tests.bench.naive", "--port", str(port))
    async with started("naive", argv, port, directory, env) as pid:
        yield Server(name, port, secret, {"naive": frozenset({pid}), "postgres": postgres}, database_url)


@contextlib.asynccontextmanager
async def started(
    name: str, argv: Sequence[str], port: int, directory: Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """Runs a server with its output in `directory`; yields its pid once it listens on the port."""
    log = directory / f"{name}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=file, stderr=file)
    try:
        with _explained(log.read_text):
            await _until_listening(name, process, port)
            yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_listening(name: str, process: asyncio.subprocess.Process, port: int) -> None:
    deadline = asyncio.get_running_loop().time() + _START_DEADLINE_S
    while asyncio.get_running_loop().time() < deadline:
        if process.returncode is not None:
            raise BenchError(f"the server {name} ended while starting")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(_POLL_S)
    raise BenchError(f"the server {name} was not ready within {_START_DEADLINE_S:.0f} s")


@contextlib.contextmanager
def _explained(output: Callable[[], str]) -> Iterator[None]:
    """Adds the last lines that a server printed to a BenchError."""
    try:
        yield
    except BenchError as error:
        last = "\n".join(output().splitlines()[-_LINES_SHOWN:])
        raise BenchError(f"{error}\n{last}") from error


def _new_database(url: str) -> str:
    connection = psycopg2.connect(url, connect_timeout=5)
    with contextlib.closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE DATABASE {_DATABASE}")
    return urlunsplit(urlsplit(url)._replace(path=f"/{_DATABASE}"))
