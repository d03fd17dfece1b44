"""Manages the data directory: its lock, its version, its secrets and the ports of its servers."""

import contextlib
import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from messenger_local.failure import StackError

VERSION = 1
# Below the kernel's range for outgoing connections, so that no connection takes a port by chance while its
# server restarts.
_PORTS = range(20_000, 30_000)
_PORT_TRIES = 200


@dataclass(frozen=True, slots=True)
class DataDir:
    """The paths inside one data directory, all absolute."""

    root: Path

    @classmethod
    def at(cls, path: str) -> "DataDir":
        """The data directory at `path`, relative to the current directory. Raises StackError."""
        try:
            return cls(Path(path).expanduser().absolute())
        except (RuntimeError, OSError) as error:
            # There is no known home, or the current directory no longer exists.
            raise StackError(f"cannot tell where data directory {path} is: {error}") from error

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own directory."""
        return self.root / "postgres"

    @property
    def files(self) -> Path:
        """The files that users upload."""
        return self.root / "files"

    @property
    def run(self) -> Path:
        """Files of the current run alone."""
        return self.root / "run"

    @property
    def secret(self) -> Path:
        """The key that signs tokens: 64 hexadecimal characters."""
        return self.root / "secret"

    @property
    def status(self) -> Path:
        """The status file of the running stack."""
        return self.run / "status.json"

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Makes or checks the directory and holds its lock. Raises StackError if it can't be used."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(
                f"cannot use data directory {self.root}: {error.strerror};"
                " --data-dir or MESSENGER_DATA_DIR names another"
            ) from error
        try:
            self._lock(lock)
            self._check_version()
            yield
        finally:
            os.close(lock)

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(f"data directory {self.root} is in use by another running stack") from error

    def _check_version(self) -> None:
        """Checks the version file, and writes it in a directory that is new or only half made."""
        found = _read(self.root / "version")
        if found is None:
            write_private(self.root / "version", f"{VERSION}\n")
        elif not found.isdecimal():
            raise StackError(f"{self.root / 'version'} is damaged: {found[:40]!r} is not a version")
        elif int(found) > VERSION:
            raise StackError(
                f"data directory {self.root} is of version {found}, newer than this program's {VERSION}"
            )

    def signing_secret(self) -> bytes:
        """The key that signs tokens, made on the first call."""
        return self._hex_secret(self.secret).encode()

    def password(self, server: str) -> str:
        """The password of one embedded server, made on the first call."""
        return self._hex_secret(self.root / f"{server}-password")

    def _hex_secret(self, path: Path) -> str:
        found = _read(path)
        if not found:
            found = secrets.token_hex(32)
            write_private(path, f"{found}\n")
        return found

    def port(self, service: str) -> int:
        """A free loopback port for `service`: the port of the last run if it is still free."""
        path = self.run / "ports.json"
        ports = _ports_in(path)
        if not is_free("127.0.0.1", ports.get(service, 0)):
            ports[service] = _find_port(set(ports.values()))
            write_private(path, json.dumps(ports) + "\n")
        return ports[service]


def existing_secret(data_dir: DataDir) -> bytes:
    """The key that signs tokens. Raises StackError before the first `messenger up`."""
    found = _read(data_dir.secret)
    if not found:
        raise StackError(f"no signing secret in {data_dir.root}: run `messenger up` on it first")
    return found.encode()


def write_private(path: Path, text: str) -> None:
    """Replaces the file atomically and durably, readable by its owner alone. Raises StackError."""
    draft = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except OSError as error:
        raise StackError(f"cannot write {path}: {error.strerror}") from error


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `port` now."""
    return port > 0 and why_not_free(host, port) is None


def why_not_free(host: str, port: int) -> str | None:
    """The reason why no server can listen on `host`:`port` now, or None."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return None


def _find_port(taken: set[int]) -> int:
    for port in random.sample(_PORTS, _PORT_TRIES):
        if port not in taken and is_free("127.0.0.1", port):
            return port
    raise StackError(f"no free port between {_PORTS.start} and {_PORTS.stop}")


def _ports_in(path: Path) -> dict[str, int]:
    with contextlib.suppress(ValueError, AttributeError):
        found = json.loads(_read(path) or "{}")
        return {name: port for name, port in found.items() if isinstance(port, int) and 0 < port < 65_536}
    return {}


def _read(path: Path) -> str | None:
    """The file's text, stripped, or None if there is no file. Raises StackError if it can't be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"cannot read {path}: {getattr(error, 'strerror', 'not text')}") from error
