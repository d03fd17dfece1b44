"""Centrifugo with Redis as its engine, and with a history of each channel."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp.test_utils import unused_port

from messenger_shared.contract import tokens
from tests.bench.peers.installing import GoProgram
from tests.bench.peers.peer import SECRET, TOKEN_TTL_S, Promises
from tests.bench.peers.redis import redis_in
from tests.bench.servers import Server, started

_HISTORY_SIZE = 300
_HISTORY_TTL_S = 300


class Centrifugo:
    """One process, as one gateway."""

    _program = GoProgram("github.com/centrifugal/centrifugo/v6", "v6.9.1", "centrifugo")
    name = "Centrifugo"
    version = (
        f"Centrifugo {_program.version}, Redis engine, history of {_HISTORY_SIZE} for {_HISTORY_TTL_S} s"
    )
    promises = Promises(
        acknowledged="is in the memory of Redis, and in nothing durable: a restart of Redis loses it",
        order="one order in a channel, by `offset`; the server notices gaps and has the client reconnect",
        absence=f"the last {_HISTORY_SIZE} messages of the last {_HISTORY_TTL_S // 60} minutes; else the "
        "client is told to ask the application",
        repeats="sent to everybody again: a client has no idempotency key (the server API has one)",
        readers="who has a token with the channel's name, signed by the application",
        missing="storage, conversations and members, read positions, search, files: it transports, and the "
        "application brings them",
    )

    def is_installed(self) -> bool:
        """Returns whether the program is built."""
        return self._program.path.exists()

    def install(self) -> None:
        """Builds the program. Raises Unavailable."""
        self._program.install()

    def token(self, user: int, room: str) -> str:
        """Returns a token that names the channel: the server then subscribes the user by itself."""
        return tokens.mint(user, SECRET, TOKEN_TTL_S, channels=[f"room:{room}"])

    @contextlib.asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[Server]:
        """Yields it with a Redis of its own."""
        port = unused_port()
        config = directory / "centrifugo.json"
        async with redis_in(directory) as redis:
            config.write_text(json.dumps(_config(port, redis.url)))
            argv = (str(self._program.path), "--config", str(config))
            async with started("centrifugo", argv, port, directory) as pid:
                roots = {"centrifugo": frozenset({pid}), "redis": frozenset({redis.pid})}
                yield Server(self.name, port, SECRET, roots, generator_options=("-p", "centrifugo"))


def _config(port: int, redis_url: str) -> dict[str, Any]:
    return {
        "http_server": {"address": "127.0.0.1", "port": str(port)},
        "log": {"level": "warn"},
        # As our gateway, it checks a signature when a socket opens.
        "client": {"token": {"hmac_secret_key": SECRET.decode()}},
        # Without Redis it would be alone: our gateway isn't.
        "engine": {"type": "redis", "redis": {"address": redis_url}},
        "channel": {
            "namespaces": [
                {
                    "name": "room",
                    # What its documentation advises for a client that returns after a short absence. Without
                    # it, a message costs less, and an absence of a second loses messages.
                    "history_size": _HISTORY_SIZE,
                    "history_ttl": f"{_HISTORY_TTL_S}s",
                    "force_recovery": True,
                    # Otherwise an application of ours would stand between: a further process to pay for.
                    "allow_publish_for_subscriber": True,
                }
            ]
        },
    }
