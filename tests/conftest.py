"""The servers of a test run: one embedded stack for all tests, and a fresh database for each test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import threading
import uuid
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from aiohttp.test_utils import unused_port
from hypothesis import HealthCheck, settings

from messenger_local.datadir import DataDir
from messenger_local.status import read_status
from messenger_shared.contract import tokens
from messenger_shared.postgres import migrations
from tests.e2e.placement import workers
from tests.external import ExternalStack
from tests.stack import RunningStack, launch
from tests.waiting import until

if TYPE_CHECKING:
    from tests.s3.running import RunningS3

WORKERS = {"gateway": 2, "chat-api": 2, "presence": 1, "feed": 1}
WAIT_S = 150
# Long enough for a reload on a busy machine, and short enough to be waited for.
PRESENCE_GRACE_MS = 1_500
T = TypeVar("T")

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Where Python may not write bytecode beside its sources, it does so in a place of the run.

    The hundreds of processes that tests start would otherwise each compile for half a second.
    """
    if sys.dont_write_bytecode:
        place = tempfile.TemporaryDirectory(prefix="messenger-bytecode-")
        config.add_cleanup(place.cleanup)
        os.environ["PYTHONPYCACHEPREFIX"] = place.name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class SharedStack:
    """A running stack on an event loop of its own, for tests whose loops come and go."""

    # A proxy answers some requests itself: health routes, and broken upgrades.
    has_no_proxy = True

    def __init__(self, data_dir: Path, port: int, env: Mapping[str, str] | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stack")
        self._thread.start()
        env_of_all = {"MESSENGER_PRESENCE_GRACE_MS": str(PRESENCE_GRACE_MS), "MESSENGER_ADMIN_API": "1"}
        env_of_all |= env or {}
        counts = ",".join(f"{service}={count}" for service, count in WORKERS.items())
        self._stack: RunningStack = self._run(launch(data_dir, port, counts, env_of_all))
        self.data_dir = data_dir

    def start(self) -> None:
        """Starts the stack, and returns when it is ready."""
        self._run(self._stack.wait_ready())
        self.url = self._stack.url
        self.database_url = self._stack.database_url
        self.redis_url = self._stack.redis_url
        self.secret = (self.data_dir / "secret").read_text().strip().encode()

    def log(self) -> str:
        """Returns all that the stack has printed so far."""
        return self._stack.output

    def status(self) -> dict[str, Any]:
        """Returns what `messenger status --json` prints, without a process of its own."""
        return read_status(DataDir(self.data_dir))

    async def workers(self, service: str) -> list[int]:
        """Returns the pids of a service's workers, once an earlier test's ones are gone or replaced."""
        found: list[int] = []

        def are_all_there() -> bool:
            found[:] = workers(self.status(), service)
            return len(found) == WORKERS[service]

        await until(are_all_there)
        return found

    def address(self, service: str) -> str:
        """Returns the URL of a service that clients don't reach, for its metrics and readiness."""
        ports = json.loads((self.data_dir / "run" / "ports.json").read_text())
        return f"http://127.0.0.1:{ports[service]}"

    def token(self, user_id: int, ttl: int = 3600, **claims: Any) -> str:
        """Returns a token for `user_id`, made here, since a process for each one would take long."""
        return tokens.mint(user_id, self.secret, ttl, **claims)

    def as_role(self, url: str, role: str) -> str:
        """Returns the URL of the same database with a service's own role."""
        password = (self.data_dir / f"{role}-password").read_text().strip()
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))

    def as_redis_user(self, user: str) -> str:
        """Returns the stack's Redis URL with a service's own user."""
        password = (self.data_dir / f"redis-{user}-password").read_text().strip()
        parts = urlsplit(self.redis_url)
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))

    def stop(self) -> None:
        """Stops the stack as its user would."""
        try:
            self._run(self._stack.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(WAIT_S)
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(WAIT_S)


@contextlib.contextmanager
def shared_stack(data_dir: Path, port: int, env: Mapping[str, str] | None = None) -> Iterator[SharedStack]:
    """Yields a stack for several tests that is ready; stops it at the end."""
    stack = SharedStack(data_dir, port, env)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedStack | ExternalStack]:
    """Yields the whole product with two gateway and two chat-api workers, or the one that the environment
    names.
    """
    if external := ExternalStack.named():
        yield external
        return
    with shared_stack(tmp_path_factory.mktemp("stack") / "data", unused_port()) as shared:
        yield shared


@pytest.fixture(scope="session")
def valkey_url(stack: SharedStack) -> str:
    """Returns a real Valkey; each test keeps to its own channels and keys."""
    return stack.redis_url


@pytest.fixture(scope="session")
def template_database(stack: SharedStack) -> str:
    """Returns a migrated, empty database to copy."""
    name = f"template_{uuid.uuid4().hex}"
    _administer(stack.database_url, f"CREATE DATABASE {name}")
    url = _with_database(stack.database_url, name)
    migrations.migrate(url, "messenger", migrations.load("chat_api"))
    migrations.migrate(url, "presence", migrations.load("presence"))
    return name


@pytest.fixture
def database_url(stack: SharedStack, template_database: str) -> Iterator[str]:
    """Yields a fresh, migrated, empty database in the real PostgreSQL."""
    with new_database(stack, template_database) as url:
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[RunningS3]:
    """Yields an S3 store; each test keeps to its own files."""
    # moto and boto3 take seconds, which other tests don't wait for.
    from tests.s3.running import running_s3

    with running_s3() as store:
        yield store


@pytest.fixture
def chat_database_url(stack: SharedStack, database_url: str) -> str:
    """Returns the same database with the role of chat-api."""
    return stack.as_role(database_url, "messenger_chat")


@contextlib.contextmanager
def new_database(stack: SharedStack, template: str) -> Iterator[str]:
    """Yields a copy of the database `template` for its owner; drops it at the end."""
    name = f"test_{uuid.uuid4().hex}"
    _administer(stack.database_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _with_database(stack.database_url, name)
    finally:
        _administer(stack.database_url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
