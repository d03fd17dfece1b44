"""Socket.IO with its Redis adapter, and a server as its documentation shows one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp.test_utils import unused_port

from messenger_shared.contract import tokens
from tests.bench.peers.installing import NodeApp
from tests.bench.peers.peer import SECRET, TOKEN_TTL_S, Promises
from tests.bench.peers.redis import redis_in
from tests.bench.servers import Server, started

_SOURCES = Path(__file__).with_name("socketio_app")
_VERSIONS: dict[str, str] = json.loads((_SOURCES / "package.json").read_text())["dependencies"]


class SocketIo:
    """One process, as one gateway."""

    _app = NodeApp(_SOURCES)
    name = "Socket.IO"
    version = f"Socket.IO {_VERSIONS['socket.io']} with Redis adapter {_VERSIONS['@socket.io/redis-adapter']}"
    promises = Promises(
        acknowledged="was taken by the server's code, and is stored nowhere",
        order="as one server sent it; of two servers, each client may see another order",
        absence="nothing: with this adapter no connection is recovered",
        repeats="sent to everybody again",
        readers="who the server's code lets into the room; here by a token that names it",
        missing="storage, conversations and members, read positions, search, files: it is a library, and the "
        "application brings them",
    )

    def is_installed(self) -> bool:
        """Returns whether the packages and Node.js are there."""
        return self._app.is_installed()

    def install(self) -> None:
        """Installs the packages. Raises Unavailable."""
        self._app.install()

    def token(self, user: int, room: str) -> str:
        """Returns a token that names the room, so that the server needn't look it up."""
        return tokens.mint(user, SECRET, TOKEN_TTL_S, rooms=[room])

    @contextlib.asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[Server]:
        """Yields it with a Redis of its own."""
        port = unused_port()
        node = shutil.which("node")
        assert node
        async with redis_in(directory) as redis:
            env = os.environ | {
                "PORT": str(port),
                "REDIS_URL": redis.url,
                "SECRET": SECRET.decode(),
                "NODE_ENV": "production",
            }
            argv = (node, str(self._app.path / "server.js"))
            async with started("socketio", argv, port, directory, env) as pid:
                roots = {"socket.io": frozenset({pid}), "redis": frozenset({redis.pid})}
                yield Server(self.name, port, SECRET, roots, generator_options=("-p", "socketio"))
