"""nats-server with JetStream: one stream in files, synced before each answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp.test_utils import unused_port

from tests.bench.peers.installing import GoProgram
from tests.bench.peers.peer import SECRET, Promises
from tests.bench.programs import BenchError
from tests.bench.servers import Server, started

_USER = "user"
_PASSWORD = SECRET.decode()
# `sync_interval: always` since our PostgreSQL syncs before it answers too; the default is 2 minutes.
_CONFIG = """\
listen: "127.0.0.1:{port}"
websocket {{ listen: "127.0.0.1:{ws_port}", no_tls: true }}
jetstream {{ store_dir: "{store}", sync_interval: always }}
authorization {{ user: "{user}", password: "{password}" }}
"""
# In one stream, as all our conversations are in one table. It keeps everything, and knows a repeat for two
# minutes, which is the default.
_STREAM = {
    "name": "ROOMS",
    "subjects": ["room.*"],
    "storage": "file",
    "retention": "limits",
    "duplicate_window": 120_000_000_000,
}
_ANSWER_DEADLINE_S = 10.0


class Nats:
    """One process, as one gateway; it is its own bus and its own store."""

    _program = GoProgram("github.com/nats-io/nats-server/v2", "v2.15.3", "nats-server")
    name = "NATS JetStream"
    version = f"nats-server {_program.version}, one stream in files, `sync_interval: always`"
    promises = Promises(
        acknowledged="is written and synced to disk",
        order="one order in the stream, by sequence; the plain subscribers of this run get a message before "
        "it is stored, also one that is then refused",
        absence="everything that the stream keeps, by a consumer from a sequence; the plain subscriptions "
        "of this run get nothing later",
        repeats="stored once if the same `Nats-Msg-Id` comes within two minutes; plain subscribers get it "
        "again",
        readers="who has the account's rights to the subject; here all users have one password and may read "
        "all",
        missing="tokens of the application's users, conversations and members, read positions, search: it is "
        "a bus with a log",
    )

    def is_installed(self) -> bool:
        """Returns whether the program is built."""
        return self._program.path.exists()

    def install(self) -> None:
        """Builds the program. Raises Unavailable."""
        self._program.install()

    def token(self, _user: int, _room: str) -> str:
        """Returns the password of all users: NATS verifies no tokens of an application without a service of
        its own for it.
        """
        return _PASSWORD

    @contextlib.asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[Server]:
        """Yields it with its stream."""
        port, ws_port = unused_port(), unused_port()
        config = directory / "nats.conf"
        config.write_text(
            _CONFIG.format(
                port=port, ws_port=ws_port, store=directory / "store", user=_USER, password=_PASSWORD
            )
        )
        argv = (str(self._program.path), "--config", str(config))
        async with started("nats", argv, ws_port, directory) as pid:
            await _create_stream(port)
            roots = {"nats": frozenset({pid})}
            yield Server(self.name, ws_port, SECRET, roots, generator_options=("-p", "nats"))


async def _create_stream(port: int) -> None:
    hello = json.dumps({"verbose": False, "user": _USER, "pass": _PASSWORD})
    stream = json.dumps(_STREAM)
    question = f"PUB $JS.API.STREAM.CREATE.ROOMS answer {len(stream)}\r\n{stream}\r\n"
    async with asyncio.timeout(_ANSWER_DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            writer.write(f"CONNECT {hello}\r\nSUB answer 1\r\n{question}".encode())
            # The body follows the line of the message.
            while not (line := await reader.readline()).startswith((b"MSG", b"-ERR")) and line:
                continue
            answer = await reader.readline()
    if b'"error"' in answer or b'"created"' not in answer:
        raise BenchError(f"the stream was not created: {(line + answer).decode()[:300]}")
