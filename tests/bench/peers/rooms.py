"""Users and rooms of a peer: a room is there as soon as somebody connects who may read it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.peers.peer import Peer
from tests.bench.seeding import Seeder
from tests.bench.servers import Server
from tests.bench.workloads import Bench


class Rooms(Seeder):
    """Makes rooms and tokens, without asking the server."""

    def __init__(self, server: Server, directory: Path, peer: Peer) -> None:
        super().__init__(server, directory)
        self._peer = peer

    def _token(self, user: int, conversation: str = "") -> str:
        return self._peer.token(user, conversation)

    async def _create(
        self, _session: aiohttp.ClientSession, _user: int, _body: dict[str, Any]
    ) -> dict[str, Any]:
        return {"id": str(uuid.uuid4())}


@dataclass(frozen=True, kw_only=True)
class PeerBench(Bench):
    """Runs workloads against a peer."""

    peer: Peer

    @property
    def seeder(self) -> Seeder:
        """Creates the workload's rooms."""
        return Rooms(self.server, self.directory, self.peer)
